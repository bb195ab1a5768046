"""Of the causes in a cluster, the one that explains the failure that an incident is about."""

from tasks.diagnose.deploys import REFUSED
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, mappings_of, unique_refs
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation, ClusterTriage
from tasks.domain.cluster_health import READ_BY_OTHERS, ObjectHealth, health_of, namespace_health
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import ClusterTarget, short_hash

MAX_WATCHED = 20


def found_by_address(target: ClusterTarget, snapshot: ClusterSnapshot) -> ClusterTarget:
    """The target itself, or the node that has the address by which it is named, as by an exporter on it."""
    if target.kind != "Node" or snapshot.find("Node", "", target.name) is not None:
        return target
    nodes = (item for item in snapshot.of_kind("Node") if target.name in _addresses(item))
    node = next(nodes, None)
    return target.model_copy(update={"name": node.name, "node": node.name}) if node is not None else target


def _addresses(node: KubeObject) -> list[str]:
    return [str(row.get("address")) for row in mappings_of(node.status.get("addresses"))]


def choose_cause(found: ClusterExplanation, target: ClusterTarget, snapshot: ClusterSnapshot) -> ClusterCause | None:
    """The first cause that concerns the target; for a whole namespace the first of all. `None` when none does.

    Where a deploy was refused, that is the cause.
    """
    if not target.name:
        return found.causes[0] if found.causes else None
    refused = next((cause for cause in found.causes if cause.diagnosis.rule == REFUSED), None)
    if refused is not None:
        return refused
    refs = _names_of(target, snapshot)
    return next((cause for cause in found.causes if refs & {cause.target, *cause.victims}), None)


def _names_of(target: ClusterTarget, snapshot: ClusterSnapshot) -> set[ObjectRef]:
    """The target, what owns it and what it owns: a cause may name any of them."""
    ref = ObjectRef(kind=target.kind, namespace=target.namespace, name=target.name)
    item = snapshot.find(ref.kind, ref.namespace, ref.name)
    workload = snapshot.workload_of(item) if item is not None else ref
    children = [child.ref for child in snapshot.children_of(workload)]
    return {ref, workload, *children, *(pod.ref for pod in snapshot.pods_of(workload))}


def triage_of(cause: ClusterCause | None, target: ClusterTarget, snapshot: ClusterSnapshot) -> ClusterTriage:
    """What has to become healthy, and how everything around it is now."""
    named = [ObjectRef(kind=target.kind, namespace=target.namespace, name=target.name)] if target.name else []
    suffering = [cause.target, *cause.victims] if cause is not None else []
    concerned = unique_refs(_standing(snapshot, ref) for ref in [*suffering, *named])
    users = tuple(ref for ref in concerned if ref.kind not in READ_BY_OTHERS)
    watched = (users or concerned)[:MAX_WATCHED]
    spaces = dict.fromkeys(ref.namespace for ref in watched if ref.namespace)
    health = [health_of(snapshot, ref) for ref in watched]
    around: list[ObjectHealth] = [one for space in spaces for one in namespace_health(snapshot, space)]
    known = {one.ref for one in health}
    return ClusterTriage(
        cause=cause, watched=watched, health=(*health, *(one for one in around if one.ref not in known))
    )


def _standing(snapshot: ClusterSnapshot, ref: ObjectRef) -> ObjectRef:
    """What stands for an object when it is replaced: a pod's workload. An evicted pod is left behind as itself."""
    item = snapshot.find(ref.kind, ref.namespace, ref.name)
    if ref.kind == "Pod" and isinstance(item, KubeObject) and item.status.get("reason") == "Evicted":
        return ref
    return snapshot.workload_of(item) if isinstance(item, KubeObject) else ref


def diagnosis_of(cause: ClusterCause | None, target: ClusterTarget) -> Diagnosis:
    """The cause's diagnosis, or *unknown*."""
    if cause is not None:
        return cause.diagnosis
    place = "/".join(part for part in (target.kind, target.namespace, target.name) if part)
    return Diagnosis(
        failure_class=FailureClass.UNKNOWN,
        cause=f"Nothing in the state of the cluster explains what is wrong with {place}.",
        confidence=0.0,
        fingerprint=short_hash("unknown", place, length=20),
    )


def evidence_of(found: ClusterExplanation, cause: ClusterCause | None) -> Evidence:
    """The lines that the cause quotes; the sources that could not be read stay with them."""
    quoted = set(cause.diagnosis.evidence_ids) if cause is not None else set()
    lines = tuple(line for line in found.evidence.lines if line.id in quoted)
    return found.evidence.model_copy(update={"lines": lines})
