"""Nodes that are not ready, under pressure, full or closed, and the pods they threw out."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import event_quote, one_line, spec_quote, states_of, status_quote
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mappings_of, unique_refs
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_EVENTS = (
    ("SystemOOM", F.K8S_NODE_PRESSURE, "ran out of memory, and the kernel killed a program"),
    ("FreeDiskSpaceFailed|ImageGCFailed|EvictionThresholdMet", F.K8S_NODE_PRESSURE, "runs out of room"),
    ("Rebooted", F.K8S_NODE_NOTREADY, "was started anew"),
)
_PRESSURE = ("MemoryPressure", "DiskPressure", "PIDPressure")


def find_node_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each node that is in trouble, and one for each workload with evicted pods."""
    held: dict[str, list[KubeObject]] = {}
    for pod in snapshot.of_kind("Pod"):
        if pod.spec.get("nodeName") and pod.status.get("phase") not in ("Succeeded", "Failed"):
            held.setdefault(str(pod.spec["nodeName"]), []).append(pod)
    for node in snapshot.of_kind("Node"):
        yield from _node(snapshot, node, held.get(node.name, []))
    for pod in snapshot.of_kind("Pod"):
        if pod.status.get("reason") == "Evicted":
            yield _evicted(snapshot, pod)


def _node(snapshot: ClusterSnapshot, node: KubeObject, held: list[KubeObject]) -> Iterator[Clue]:
    victims = tuple(snapshot.workload_of(pod) for pod in held)
    for row in mappings_of(node.status.get("conditions")):
        clue = _condition(node, row, victims)
        if clue is not None:
            yield clue
    most = amount(dig(node.status, "allocatable", "pods") or dig(node.status, "capacity", "pods"))
    if most and len(held) >= most:
        yield Clue(
            failure_class=F.K8S_PENDING_UNSCHED,
            rule="cluster-node-full",
            cause=f"{node.ref} runs too many pods for its capacity: {len(held)} of {most:g} that it may hold.",
            target=node.ref,
            quotes=(status_quote(node, f"allocatable pods: {most:g}; running pods: {len(held)}"),),
            confidence=0.9,
            rank=20,
        )
    if node.spec.get("unschedulable") is True:
        yield _cordoned(snapshot, node)
    yield from _told(snapshot, node, held)


def _told(snapshot: ClusterSnapshot, node: KubeObject, held: list[KubeObject]) -> Iterator[Clue]:
    """What events tell of a node: that it ran out of memory or disk, or was started anew."""
    for reason, kind, cause in _EVENTS:
        events = [event for event in snapshot.events_of(node.ref) if re.match(reason, event.reason)]
        events = [event for event in events if "may not have completed yet" not in event.message]
        if not events:
            continue
        killed = [ref for pod in held if _was_killed(pod) for ref in (snapshot.workload_of(pod), pod.ref)]
        yield Clue(
            failure_class=kind,
            rule="cluster-node-event",
            cause=f"{node.ref} {cause}: {one_line(events[-1].message)[:200].rstrip('.')}.",
            target=node.ref,
            victims=unique_refs(killed) if reason == "SystemOOM" else (),
            quotes=(event_quote(events[-1]),),
            confidence=0.75,
            rank=10,
            hint=reason == "Rebooted" or (reason == "SystemOOM" and not killed),
        )


def _was_killed(pod: KubeObject) -> bool:
    """Killed, and not for a limit of its own."""
    return any(state.exit_code == 137 and state.end_reason != "OOMKilled" for state in states_of(pod))


def _condition(node: KubeObject, row: Json, victims: tuple[ObjectRef, ...]) -> Clue | None:
    kind, status = str(row.get("type")), row.get("status")
    said = one_line(f"{kind}={status} {row.get('reason') or ''}: {row.get('message') or ''}")

    def clue(failure_class: F, rule: str, cause: str, confidence: float, rank: int) -> Clue:
        return Clue(
            failure_class=failure_class,
            rule=rule,
            cause=f"{node.ref} {cause}{said}.",
            target=node.ref,
            victims=victims,
            quotes=(status_quote(node, said),),
            confidence=confidence,
            rank=rank,
        )

    if kind == "Ready":
        bad = status in ("False", "Unknown")
        return clue(F.K8S_NODE_NOTREADY, "cluster-node", "is not ready: ", 0.96, 5) if bad else None
    if status != "True" or kind == "EtcdIsVoter":
        return None
    if kind in _PRESSURE:
        return clue(F.K8S_NODE_PRESSURE, "cluster-node-pressure", "is under pressure: ", 0.95, 6)
    found = clue(F.K8S_NODE_NOTREADY, "cluster-node-condition", "reports ", 0.8, 7)
    return found if kind == "NetworkUnavailable" else found.model_copy(update={"victims": (), "hint": True})


def _cordoned(snapshot: ClusterSnapshot, node: KubeObject) -> Clue:
    waiting = [
        ref
        for pod in snapshot.of_kind("Pod")
        if pod.status.get("phase") == "Pending" and not pod.spec.get("nodeName") and _for_this(snapshot, pod)
        for ref in (snapshot.workload_of(pod), pod.ref)
    ]
    return Clue(
        failure_class=F.K8S_PENDING_UNSCHED,
        rule="cluster-cordoned",
        cause=f"{node.ref} is cordoned: it takes no new pods.",
        target=node.ref,
        victims=unique_refs(waiting),
        quotes=(spec_quote(node, "unschedulable: true"),),
        confidence=0.85,
        rank=18,
        hint=not waiting,
    )


def _for_this(snapshot: ClusterSnapshot, pod: KubeObject) -> bool:
    said = " ".join(event.message for event in snapshot.events_of(pod.ref) if event.reason == "FailedScheduling") + str(
        pod.condition("PodScheduled").get("message") or ""
    )
    return "were unschedulable" in said


def _evicted(snapshot: ClusterSnapshot, pod: KubeObject) -> Clue:
    said = one_line(f"Evicted: {pod.status.get('message') or 'no reason given'}")
    node = str(pod.spec.get("nodeName") or "")
    target = ObjectRef(kind="Node", name=node) if node and "node was low" in said else snapshot.workload_of(pod)
    owner = snapshot.workload_of(pod)
    return Clue(
        failure_class=F.K8S_NODE_PRESSURE,
        rule="cluster-evicted",
        cause=f"{owner}: its pods were evicted: {said[:220].rstrip('.')}.",
        target=target,
        victims=(owner, pod.ref),
        quotes=(status_quote(pod, said),),
        confidence=0.85,
        rank=22,
    )
