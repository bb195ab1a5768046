"""Drafts the plan for a failure in a cluster: the first remedy that fits, with the change itself, or a report.

A change is never invented. It comes from an earlier revision that still has ready pods, or from the labels that the
pods themselves carry; what has no such source is reported, with the reason.
"""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import yaml

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mapping_of
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_state import state_digest
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import Incident
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.draft import check_it_held, explain_passed_over
from tasks.plan.playbooks import ADVICE

_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
_BACK = (Remedy.ROLL_BACK_ROLLOUT,)
CLUSTER_PLAYBOOKS: Mapping[F, tuple[Remedy, ...]] = MappingProxyType(
    {
        F.K8S_CRASH_ENV: _BACK,
        F.K8S_CRASH_CONFIG: _BACK,
        F.K8S_CRASH_CMD: _BACK,
        F.K8S_CRASH_PERM: _BACK,
        F.K8S_CRASH_APP: _BACK,
        F.K8S_CRASH_LIVENESS: _BACK,
        F.K8S_IMAGE_NOTFOUND: _BACK,
        F.K8S_IMAGE_AUTH: _BACK,
        F.K8S_IMAGE_NEVER: _BACK,
        F.K8S_OOM: _BACK,
        F.K8S_PROBE_READY: _BACK,
        F.K8S_CONFIG_KEY: _BACK,
        F.K8S_MOUNT: _BACK,
        F.K8S_PENDING_RES: _BACK,
        F.K8S_PENDING_AFFINITY: _BACK,
        F.DEP_ROLLOUT_TIMEOUT: _BACK,
        F.K8S_SVC_SELECTOR: (Remedy.PATCH_SERVICE,),
    }
)
"""What is tried against a class in a cluster; a class that is not listed is reported and nothing else."""


@dataclass(frozen=True)
class _Case:
    incident: Incident
    cause: ClusterCause
    snapshot: ClusterSnapshot
    target: KubeObject


def draft_cluster_plan(
    incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot, *, similar: tuple[SimilarIncident, ...] = ()
) -> Plan:
    """The plan for one cause; what is planned on is the state of the object that changes."""
    found, passed_over = cause.diagnosis.failure_class, list[str]()
    for remedy in CLUSTER_PLAYBOOKS.get(found, ()):
        try:
            check_it_held(remedy, similar)
            action, target = _DRAFTERS[remedy](incident, cause, snapshot)
        except Unfit as reason:
            passed_over.append(f"{remedy.replace('_', ' ')}: {reason}")
            continue
        return Plan(
            incident_id=incident.id,
            playbook=found,
            rationale=" ".join([f"{action.summary}.", f"The playbook for {found}.", *explain_passed_over(passed_over)]),
            actions=(action,),
            target_state=state_digest(target),
        )
    advice = ADVICE.get(found, "A person has to look.")
    report = Action(
        name=Remedy.REPORT_ONLY,
        target=str(cause.target),
        risk=Risk.NONE,
        summary="Report the cause and change nothing",
        undo="nothing to take back",
    )
    why = "No remedy fits." if passed_over else f"No remedy for {found} is safe to take alone."
    return Plan(
        incident_id=incident.id,
        playbook=found,
        rationale=" ".join([why, *explain_passed_over(passed_over), advice]),
        actions=(report,),
        target_state="",
    )


def _roll_back(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """Back to the newest earlier revision that still has ready pods: that it works is seen, not supposed."""
    target = _deployment_of(cause, snapshot)
    revisions = sorted(
        (item for item in snapshot.children_of(target.ref) if item.kind == "ReplicaSet"), key=_revision, reverse=True
    )
    current = str(target.annotations.get(_REVISION) or "")
    newest = next((item for item in revisions if item.annotations.get(_REVISION) == current), None)
    if newest is None:
        raise Unfit("the revision that fails is not known")
    if _ready(newest) and _ready(newest) >= int(target.spec.get("replicas") or 1):
        raise Unfit("the newest revision has all its pods ready")
    earlier = next((item for item in revisions if _revision(item) < _revision(newest) and _ready(item)), None)
    if earlier is None:
        raise Unfit("no earlier revision has a ready pod, so none is known to work")
    parameters = {
        **_identity(target),
        "revision": earlier.name,
        "revision_uid": str(dig(earlier.raw, "metadata", "uid")),
    }
    was, back = str(_revision(newest)), str(_revision(earlier))
    action = Action(
        name=Remedy.ROLL_BACK_ROLLOUT,
        target=str(target.ref),
        parameters=parameters,
        risk=Risk.MEDIUM,
        summary=f"Roll {target.ref} back from revision {was} to {back}, which has {_ready(earlier)} ready pods",
        undo=f"give {target.ref} the pod template of revision {was} again",
        preview=_diff(_template(newest), _template(earlier), str(target.ref)),
    )
    return action, target


def _deployment_of(cause: ClusterCause, snapshot: ClusterSnapshot) -> KubeObject:
    for ref in (cause.target, *cause.victims):
        item = snapshot.find(ref.kind, ref.namespace, ref.name)
        owner = snapshot.workload_of(item) if item is not None else ref
        found = snapshot.find(owner.kind, owner.namespace, owner.name)
        if found is not None and found.kind == "Deployment":
            return found
    raise Unfit("it is no Deployment, whose earlier revisions would be known")


def _revision(item: KubeObject) -> int:
    told = str(item.annotations.get(_REVISION) or "")
    return int(told) if told.isdigit() else 0


def _ready(item: KubeObject) -> int:
    count = item.status.get("readyReplicas")
    return count if isinstance(count, int) else 0


def _template(item: KubeObject) -> Json:
    template = dict(item.pod_template)
    metadata = dict(mapping_of(template.get("metadata")))
    metadata["labels"] = {k: v for k, v in mapping_of(metadata.get("labels")).items() if k != _HASH}
    return {**template, "metadata": metadata}


def _patch_service(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """The values of the selector as the pods have them, where exactly one workload is meant and its pods are ready."""
    target = snapshot.find(cause.target.kind, cause.target.namespace, cause.target.name)
    if target is None or target.kind != "Service":
        raise Unfit("the Service was not read")
    refs = [snapshot.find(ref.kind, ref.namespace, ref.name) for ref in cause.victims]
    owners = {snapshot.workload_of(item) for item in refs if item is not None and item.pod_labels}
    if len(owners) != 1:
        raise Unfit(f"{len(owners)} workloads may be meant")
    owner = owners.pop()
    pods = [pod for pod in snapshot.pods_of(owner) if pod.condition("Ready").get("status") == "True"]
    if not pods:
        raise Unfit(f"no pod of {owner} is ready")
    selector = mapping_of(target.spec.get("selector"))
    absent = [key for key in selector if key not in pods[0].labels]
    if absent:
        raise Unfit(f"the pods of {owner} have no label {absent[0]}")
    wanted = {**selector, **{key: pods[0].labels[key] for key in selector}}
    operations = [{"path": "/spec/selector", "value": wanted}]
    action = Action(
        name=Remedy.PATCH_SERVICE,
        target=str(target.ref),
        parameters={**_identity(target), "operations": json.dumps(operations, sort_keys=True)},
        risk=Risk.MEDIUM,
        summary=f"Let {target.ref} select the {len(pods)} ready pods of {owner}",
        undo=f"give {target.ref} its former selector again",
        preview=_diff({"selector": dict(selector)}, {"selector": wanted}, str(target.ref)),
    )
    return action, target


_DRAFTERS: Mapping[Remedy, Callable[[Incident, ClusterCause, ClusterSnapshot], tuple[Action, KubeObject]]] = (
    MappingProxyType({Remedy.ROLL_BACK_ROLLOUT: _roll_back, Remedy.PATCH_SERVICE: _patch_service})
)


def _identity(item: KubeObject) -> dict[str, str]:
    return {"kind": item.kind, "namespace": item.namespace, "name": item.name, "state": state_digest(item)}


def _diff(before: Json, after: Json, name: str) -> str:
    told = [yaml.safe_dump(json.loads(json.dumps(side, default=str)), sort_keys=True) for side in (before, after)]
    lines = difflib.unified_diff(
        told[0].splitlines(), told[1].splitlines(), f"now/{name}", f"then/{name}", lineterm="", n=2
    )
    return "\n".join(lines)
