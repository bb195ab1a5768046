"""Calls that are not answered: who is to blame when one workload cannot reach a service of this cluster."""

from collections.abc import Iterator, Sequence

from tasks.diagnose.analyzers.cluster.calling import behind, callers_of, find_service, said_by
from tasks.diagnose.analyzers.cluster.reading import is_healthy
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, dig, mappings_of, unique_refs
from tasks.domain.cluster_cause import SYMPTOM, Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.listening import port_gaps


def redirected(snapshot: ClusterSnapshot, clues: Sequence[Clue]) -> list[Clue]:
    """Who cannot reach a service of this cluster is the victim of what is wrong behind it, or asks the wrong port."""
    return [_redirect(snapshot, clue) for clue in clues]


def _redirect(snapshot: ClusterSnapshot, clue: Clue) -> Clue:
    service = find_service(snapshot, clue.host, clue.target.namespace) if clue.host else None
    if service is None:
        return clue
    if (asked := _unknown_port(clue.host, service)) is not None:
        return _asks_wrongly(snapshot, clue, service, asked)
    workloads = behind(snapshot, service)
    pods = [pod for workload in workloads for pod in snapshot.pods_of(workload) if is_healthy(pod)]
    if not pods:
        return _nothing_ready(snapshot, clue, service, workloads)
    if any("refused" in quote.text.lower() for quote in clue.quotes):
        return _refused(snapshot, clue, service, pods)
    return _toward(clue, service.ref, f"{clue.target} cannot reach {service.ref} ({clue.host}).", 50)


def _toward(clue: Clue, target: ObjectRef, cause: str, rank: int, share: float = 0.8) -> Clue:
    """The same clue, told of what does not answer."""
    victims = unique_refs((clue.target, *clue.victims))
    confidence = round(clue.confidence * share, 2)
    return clue.model_copy(
        update={"target": target, "victims": victims, "cause": cause, "rank": rank, "confidence": confidence}
    )


def _nothing_ready(snapshot: ClusterSnapshot, clue: Clue, service: KubeObject, workloads: Sequence[ObjectRef]) -> Clue:
    said = f"{clue.target} cannot reach {service.ref} ({clue.host}), behind which nothing is ready."
    told = _toward(clue, workloads[0] if workloads else service.ref, said, SYMPTOM)
    items = [snapshot.find(ref.kind, ref.namespace, ref.name) for ref in workloads]
    if not workloads or any(item is None or item.spec.get("replicas") != 0 for item in items):
        return told
    cause = f"{clue.target} cannot reach {service.ref} ({clue.host}): {workloads[0]} is scaled to zero."
    return told.model_copy(
        update={"failure_class": F.K8S_SVC_SELECTOR, "cause": cause, "rank": 24, "host": "", "confidence": 0.85}
    )


def _unknown_port(host: str, service: KubeObject) -> int | None:
    """The port that was asked, where the service has none of that number."""
    port = host.rpartition(":")[2]
    known = [row.get("port") for row in mappings_of(service.spec.get("ports"))]
    return int(port) if ":" in host and port.isdigit() and known and int(port) not in known else None


def _asks_wrongly(snapshot: ClusterSnapshot, clue: Clue, service: KubeObject, asked: int) -> Clue:
    """One that asks a port which a service does not have is wrong itself; when several do, the service is."""
    known = " and ".join(str(row.get("port")) for row in mappings_of(service.spec.get("ports")))
    others = [item for item in callers_of(snapshot, service) if any(f":{asked}" in text for text in said_by(item))]
    target = service.ref if len(others) > 1 else clue.target
    told = _toward(clue, target, f"{clue.target} asks port {asked} of {service.ref}, which has {known} only.", 34)
    return told.model_copy(
        update={"failure_class": F.K8S_SVC_PORT, "rule": "cluster-asked-port", "confidence": 0.85, "host": ""}
    )


def _refused(snapshot: ClusterSnapshot, clue: Clue, service: KubeObject, pods: Sequence[KubeObject]) -> Clue:
    """Pods are ready and nothing listens where the service sends: its port is wrong, or they do not open it."""
    if not _were_ready(snapshot, clue, pods):
        return _toward(clue, service.ref, f"{clue.target} cannot reach {service.ref} ({clue.host}).", 50)
    gaps = list(port_gaps(service, pods))
    declared = any(row.get("ports") for pod in pods for row in mappings_of(pod.spec.get("containers")))
    target = service.ref if gaps or not declared else snapshot.workload_of(pods[0])
    sent = gaps[0].wanted if gaps else next(_targets(service), "of its choice")
    why = f"{service.ref} sends to port {sent} of pods that are ready, and nothing listens there"
    told = _toward(clue, target, f"{clue.target} is refused by {service.ref} ({clue.host}): {why}.", 34)
    return told.model_copy(
        update={"failure_class": F.K8S_SVC_PORT, "rule": "cluster-refused-port", "confidence": 0.75, "host": ""}
    )


def _targets(service: KubeObject) -> Iterator[object]:
    return (row.get("targetPort") or row.get("port") for row in mappings_of(service.spec.get("ports")))


def _were_ready(snapshot: ClusterSnapshot, clue: Clue, pods: Sequence[KubeObject]) -> bool:
    """Whether the pods were ready before the caller spoke: who is refused while the other side starts tries again."""
    since = min(str(pod.condition("Ready").get("lastTransitionTime") or "") for pod in pods)
    callers = [
        pod for ref in clue.victims for pod in [snapshot.find("Pod", ref.namespace, ref.name)] if pod is not None
    ]
    spoke = [
        str(moment)
        for pod in callers
        for row in mappings_of(pod.status.get("containerStatuses"))
        for moment in _ends(row)
    ]
    return not spoke or not since or max(spoke) > since


def _ends(row: object) -> Iterator[object]:
    for place in ("lastState", "state"):
        moment = dig(row, place, "terminated", "finishedAt")
        if moment:
            yield moment
