"""What the drafters of changes to a cluster share: what changes, its revisions, and how a change is shown."""

import difflib
import json
from collections.abc import Callable

import yaml

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mapping_of, mappings_of
from tasks.domain.cluster_bounds import ChangeBounds
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_state import state_digest
from tasks.domain.incident import Incident
from tasks.domain.plan import Action
from tasks.plan.case import Unfit
from tasks.plan.cluster.measure import Measure

REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
ClusterDrafter = Callable[[Incident, ClusterCause, ClusterSnapshot], tuple[Action, KubeObject]]
"""The action for a cause and the object whose state it was planned on; raises Unfit, with the reason."""
BoundedDrafter = Callable[[ClusterCause, ClusterSnapshot, ChangeBounds, Measure], tuple[Action, KubeObject]]
"""The same for a change of sizes, which is held within bounds and follows what was measured."""


FRESH_SECONDS = 3600
"""What fails within this time after a revision came out may well have come with it."""


def deployment_of(cause: ClusterCause, snapshot: ClusterSnapshot) -> KubeObject:
    """The Deployment that has to change; raises Unfit when it is none."""
    for ref in (cause.target, *cause.victims):
        item = snapshot.find(ref.kind, ref.namespace, ref.name)
        owner = snapshot.workload_of(item) if item is not None else ref
        found = snapshot.find(owner.kind, owner.namespace, owner.name)
        if found is not None and found.kind == "Deployment":
            return found
    raise Unfit("it is no Deployment, whose earlier revisions would be known")


def workload_of(cause: ClusterCause, snapshot: ClusterSnapshot) -> KubeObject:
    """The workload that the cause itself names, never one of its victims; raises Unfit when it names none."""
    item = snapshot.find(cause.target.kind, cause.target.namespace, cause.target.name)
    owner = snapshot.workload_of(item) if item is not None else cause.target
    found = snapshot.find(owner.kind, owner.namespace, owner.name)
    if found is None or found.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
        raise Unfit(f"{cause.target} is no workload that rolls")
    return found


def revisions_of(target: KubeObject, snapshot: ClusterSnapshot) -> tuple[KubeObject, KubeObject | None]:
    """The newest revision of a Deployment, and the earlier one that is known to work, if any is.

    That is the newest that a deploy verified, also when it has no pods any more; else the newest that has ready pods.

    Raises:
        Unfit: which revision is the newest is not known.
    """
    sets = (item for item in snapshot.children_of(target.ref) if item.kind == "ReplicaSet")
    revisions = sorted(sets, key=revision_of, reverse=True)
    current = str(target.annotations.get(REVISION) or "")
    newest = next((item for item in revisions if item.annotations.get(REVISION) == current), None)
    if newest is None:
        raise Unfit("the revision that fails is not known")
    earlier = [item for item in revisions if revision_of(item) < revision_of(newest)]
    proven = (item for item in earlier if is_verified(item, snapshot))
    return newest, next(proven, next((item for item in earlier if ready_of(item)), None))


def is_verified(item: KubeObject, snapshot: ClusterSnapshot) -> bool:
    """Whether a deploy saw this revision serve."""
    return str(dig(item.raw, "metadata", "uid")) in snapshot.verified_revisions


def revision_of(item: KubeObject) -> int:
    """The number of a ReplicaSet's revision, 0 when it has none."""
    told = str(item.annotations.get(REVISION) or "")
    return int(told) if told.isdigit() else 0


def ready_of(item: KubeObject) -> int:
    """How many of its pods are ready."""
    count = item.status.get("readyReplicas")
    return count if isinstance(count, int) else 0


def serves(newest: KubeObject, target: KubeObject, snapshot: ClusterSnapshot) -> bool:
    """Whether a revision has all its pods ready, and none of them was started again soon after it came out.

    A pod that is killed again and again is ready for some seconds in between.
    """
    if not ready_of(newest) or ready_of(newest) < int(target.spec.get("replicas") or 1):
        return False
    return not (_is_fresh(newest, snapshot) and any(_restarts(pod) for pod in snapshot.children_of(newest.ref)))


def _is_fresh(item: KubeObject, snapshot: ClusterSnapshot) -> bool:
    age = snapshot.age_seconds(item)
    return age is not None and age < FRESH_SECONDS


def _restarts(pod: KubeObject) -> int:
    rows = mappings_of(pod.status.get("containerStatuses"))
    return sum(count for row in rows if isinstance(count := row.get("restartCount"), int))


def template_of(item: KubeObject) -> Json:
    """The pod template without the label that its controller puts in."""
    template = dict(item.pod_template)
    metadata = dict(mapping_of(template.get("metadata")))
    metadata["labels"] = {k: v for k, v in mapping_of(metadata.get("labels")).items() if k != _HASH}
    return {**template, "metadata": metadata}


def identity(item: KubeObject) -> dict[str, str]:
    """The parameters that every change of an object has: which, and in which state it was seen."""
    return {"kind": item.kind, "namespace": item.namespace, "name": item.name, "state": state_digest(item)}


def diff_of(before: Json, after: Json, name: str) -> str:
    """What the approver sees: the same part of the object now and then."""
    told = [yaml.safe_dump(json.loads(json.dumps(side, default=str)), sort_keys=True) for side in (before, after)]
    lines = difflib.unified_diff(
        told[0].splitlines(), told[1].splitlines(), f"now/{name}", f"then/{name}", lineterm="", n=2
    )
    return "\n".join(lines)
