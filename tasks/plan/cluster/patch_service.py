"""Drafts the correction of a Service that leads nowhere."""

import json

from tasks.domain.cluster import ClusterSnapshot, KubeObject, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import diff_of, identity


def patch_service(incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """The Service's selector, or the port that it sends to."""
    port = cause.diagnosis.failure_class is FailureClass.K8S_SVC_PORT
    return (_target_port if port else _selector)(incident, cause, snapshot)


def _selector(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
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


def _target_port(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """The one port that the selected pods declare, where the Service sends to one that they do not."""
    target = snapshot.find(cause.target.kind, cause.target.namespace, cause.target.name)
    if target is None or target.kind != "Service":
        raise Unfit("the Service was not read")
    declared = _declared(target, snapshot)
    wrong = [
        (index, row.get("targetPort", row.get("port")))
        for index, row in enumerate(mappings_of(target.spec.get("ports")))
        if row.get("targetPort", row.get("port")) not in {name for port in declared for name in port}
    ]
    if len(declared) != 1 or len(wrong) != 1:
        raise Unfit(f"{len(declared)} ports are declared and {len(wrong)} are missed, so that none is surely meant")
    (index, was), (number, _) = wrong[0], declared.pop()
    path = f"/spec/ports/{index}/targetPort"
    action = Action(
        name=Remedy.PATCH_SERVICE,
        target=str(target.ref),
        parameters={**identity(target), "operations": json.dumps([{"path": path, "value": number}])},
        risk=Risk.MEDIUM,
        summary=f"Let {target.ref} send to port {number}, the only one that its pods declare, and not to {was}",
        undo=f"let {target.ref} send to port {was} again",
        preview=diff_of({path: was}, {path: number}, str(target.ref)),
    )
    return action, target


def _declared(service: KubeObject, snapshot: ClusterSnapshot) -> set[tuple[int, str]]:
    """Number and name of each port that the pods behind a Service declare."""
    selector = mapping_of(service.spec.get("selector"))
    chosen = [item for item in snapshot.carriers(service.namespace) if selector and selects(selector, item.pod_labels)]
    return {
        (int(row["containerPort"]), str(row.get("name") or ""))
        for item in chosen
        for container in mappings_of(item.pod_spec.get("containers"))
        for row in mappings_of(container.get("ports"))
        if isinstance(row.get("containerPort"), int)
    }
