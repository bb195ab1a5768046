"""Drafts the correction of a Service that leads nowhere."""

import json

from tasks.domain.cluster import ClusterSnapshot, KubeObject, mapping_of
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import diff_of, identity


def patch_service(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
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
        parameters={**identity(target), "operations": json.dumps(operations, sort_keys=True)},
        risk=Risk.MEDIUM,
        summary=f"Let {target.ref} select the {len(pods)} ready pods of {owner}",
        undo=f"give {target.ref} its former selector again",
        preview=diff_of({"selector": dict(selector)}, {"selector": wanted}, str(target.ref)),
    )
    return action, target
