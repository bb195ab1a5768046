"""Pods that no node takes: resources, taints, affinity, cordons, volumes; and sandboxes that cannot be made."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    containers_of,
    event_quote,
    events_saying,
    int_of,
    is_leaving,
    one_line,
    spec_quote,
    status_quote,
)
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_NODES = re.compile(
    r"\d+/\d+ nodes are available: (?P<why>.*?)(?:\. (?:no new claims to deallocate, )?preemption:|\.? ?$|\. [A-Z])",
    re.S,
)
_PART = re.compile(r"(?P<count>\d+) (?P<why>[^,]+(?:,(?! \d+ )[^,]+)*)")
_KINDS = (
    (F.K8S_PENDING_PVC, r"persistentvolumeclaim|unbound immediate|volume node affinity|volume\(s\)|bind"),
    (F.K8S_PENDING_RES, r"Insufficient (?P<what>\S+)"),
    (
        F.K8S_PENDING_AFFINITY,
        r"node affinity|node selector|nodeSelector|anti-affinity|pod affinity|topology spread|didn't match",
    ),
    (F.K8S_PENDING_TAINT, r"untolerated taint|didn't tolerate|had taint"),
    (F.K8S_PENDING_UNSCHED, r"unschedulable|Too many pods|node\(s\) were not ready|free ports"),
)
_CONTROL = re.compile(r"node-role\.kubernetes\.io/(?:control-plane|master)")
_WORDS = {
    F.K8S_PENDING_RES: "no node has enough {what} left",
    F.K8S_PENDING_AFFINITY: "no node matches its node selector or affinity{selector}",
    F.K8S_PENDING_TAINT: "it does not tolerate the taints of the nodes",
    F.K8S_PENDING_UNSCHED: "the nodes take no more pods",
    F.K8S_PENDING_PVC: "the volume it claims is not there",
}
_PLAIN_LABELS = re.compile(r"^(?:kubernetes\.io/(?:os|arch)|beta\.kubernetes\.io/(?:os|arch))$")


def find_unscheduled(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each pod that waits for a node, and for what manifests ask of nodes in vain."""
    for pod in snapshot.of_kind("Pod"):
        if pod.status.get("phase") == "Pending" and not pod.spec.get("nodeName") and not is_leaving(pod):
            yield from (clue for clue in _explain(snapshot, pod) if not _waits_for_closed_node(snapshot, clue))
        elif pod.status.get("phase") == "Pending":
            yield from _sandbox(snapshot, pod)
    if snapshot.desired_only:
        for item in snapshot.templates():
            yield from _wishes(item)


def _explain(snapshot: ClusterSnapshot, pod: KubeObject) -> Iterator[Clue]:
    scheduled = pod.condition("PodScheduled")
    target = snapshot.workload_of(pod)
    if scheduled.get("reason") == "SchedulingGated" or pod.spec.get("schedulingGates"):
        quote = status_quote(pod, f"SchedulingGated: {scheduled.get('message') or pod.spec.get('schedulingGates')}")
        yield Clue(
            failure_class=F.K8S_PENDING_UNSCHED,
            rule="cluster-pending-gated",
            cause=f"{target}: its pod waits for a scheduling gate to be removed.",
            target=target,
            victims=(pod.ref,),
            quotes=(quote,),
            confidence=0.9,
        )
        return
    events = events_saying(snapshot, pod.ref, r"^FailedScheduling")
    message = events[-1].message if events else str(scheduled.get("message") or "")
    quotes = (
        [event_quote(events[-1])]
        if events
        else [status_quote(pod, f"PodScheduled=False: {message}")]
        if message
        else []
    )
    if not message:
        message, quotes = _in_texts(snapshot, pod)
    if message:
        yield _judge(snapshot, pod, message, quotes)
        return
    template = snapshot.find(target.kind, target.namespace, target.name)
    wished = list(_wishes(template if template is not None and template.pod_spec else pod))
    for clue in wished[:1]:
        yield clue.model_copy(update={"target": target, "victims": (pod.ref,), "confidence": 0.75})
    if not wished:
        yield Clue(
            failure_class=F.K8S_PENDING_UNSCHED,
            rule="cluster-pending",
            cause=f"{target}: its pod is pending and no node has taken it.",
            target=target,
            victims=(pod.ref,),
            quotes=(status_quote(pod, "phase: Pending, without a node"),),
            confidence=0.4,
            rank=60,
        )


def _waits_for_closed_node(snapshot: ClusterSnapshot, clue: Clue) -> bool:
    """Whether a node that somebody closed is the cause, which is named by itself with those who wait for it."""
    return (
        "were unschedulable" in clue.cause
        and clue.failure_class is F.K8S_PENDING_UNSCHED
        and any(node.spec.get("unschedulable") is True for node in snapshot.of_kind("Node"))
    )


def _in_texts(snapshot: ClusterSnapshot, pod: KubeObject) -> tuple[str, list[Quote]]:
    """What a tool told about this pod, where no event of it was captured."""
    for text in snapshot.texts:
        plain = " ".join(text.text.split())
        found = _NODES.search(plain) if pod.name in plain or snapshot.workload_of(pod).name in plain else None
        if found is not None:
            return found[0], [Quote(source=f"text:{text.source}", text=one_line(found[0]))]
    return "", []


def _judge(snapshot: ClusterSnapshot, pod: KubeObject, message: str, quotes: list[Quote]) -> Clue:
    parts = [(int(part["count"]), part["why"]) for part in _PART.finditer(reasons_of(message))] or [(1, message)]
    tallied: dict[F, int] = {}
    for count, why in parts:
        failure_class = next((kind for kind, pattern in _KINDS if re.search(pattern, why, re.I)), None)
        if failure_class is not None:
            # That a control plane takes no ordinary pods is how it should be, not why this one waits.
            tallied[failure_class] = tallied.get(failure_class, 0) + (
                0 if _CONTROL.search(why) and len(parts) > 1 else count
            )
    # The other nodes are not meant: what keeps the pod from those that are is something else.
    if len(tallied) > 1 and _wants_a_known_node(snapshot, pod):
        tallied.pop(F.K8S_PENDING_AFFINITY, None)
    order = [kind for kind, _ in _KINDS]
    chosen = max(tallied, key=lambda kind: (tallied[kind], -order.index(kind)), default=F.K8S_PENDING_UNSCHED)
    short = sorted(set(re.findall(r"Insufficient ([\w./-]+\w)", message)))
    selector = ", ".join(f"{key}={value}" for key, value in mapping_of(pod.spec.get("nodeSelector")).items())
    taken = chosen is F.K8S_PENDING_UNSCHED and "free ports" in message
    why = (
        "a port that it wants of the node is taken"
        if taken
        else _WORDS[chosen].format(
            what=" and ".join(_plainly(name) for name in short) or "room", selector=f" ({selector})" if selector else ""
        )
    )
    target = snapshot.workload_of(pod)
    return Clue(
        failure_class=chosen,
        rule="cluster-pending",
        cause=f"{target}: its pod is pending, {why}: {one_line(reasons_of(message) or message)[:220]}.",
        target=target,
        victims=(pod.ref,),
        quotes=tuple(quotes),
        confidence=0.93 if tallied else 0.5,
        rank=_rank(snapshot, chosen, message),
    )


def _rank(snapshot: ClusterSnapshot, chosen: F, message: str) -> int:
    """That a claim is not bound, or a node closed, is said of the claim and of the node."""
    if chosen is F.K8S_PENDING_PVC:
        return 50
    closed = chosen is F.K8S_PENDING_UNSCHED and "were unschedulable" in message
    return 50 if closed and any(node.spec.get("unschedulable") is True for node in snapshot.of_kind("Node")) else 30


def _wants_a_known_node(snapshot: ClusterSnapshot, pod: KubeObject) -> bool:
    """Whether its node selector names labels that some node carries."""
    selector = mapping_of(pod.spec.get("nodeSelector"))
    return bool(selector) and any(selects(selector, node.labels) for node in snapshot.of_kind("Node"))


def reasons_of(message: str) -> str:
    """What the scheduler says of the nodes, without its remarks on preemption."""
    found = _NODES.search(message)
    return found["why"] if found else message.partition(" preemption:")[0]


def _plainly(resource: str) -> str:
    return f"GPU ({resource})" if "gpu" in resource.lower() else resource


def _wishes(item: KubeObject) -> Iterator[Clue]:
    """What a specification asks that ordinary nodes do not have."""
    spec = item.pod_spec
    for container in containers_of(spec):
        asked = {
            **mapping_of(dig(container, "resources", "limits")),
            **mapping_of(dig(container, "resources", "requests")),
        }
        special = {name: value for name, value in asked.items() if "/" in name and amount(value)}
        if special:
            said = ", ".join(f"{name}: {value}" for name, value in special.items())
            yield _wish(
                item,
                F.K8S_PENDING_RES,
                f"it asks for {', '.join(_plainly(n) for n in special)}, of which ordinary nodes have none: insufficient resources",
                f"container {container.get('name')} requests {said}",
                0.6,
            )
    selector = {k: v for k, v in mapping_of(spec.get("nodeSelector")).items() if not _PLAIN_LABELS.match(k)}
    if selector:
        said = ", ".join(f"{key}={value}" for key, value in selector.items())
        yield _wish(
            item, F.K8S_PENDING_AFFINITY, f"it runs only on nodes with the label {said}", f"nodeSelector: {said}", 0.55
        )
    yield from _affinity(item, spec)


def _affinity(item: KubeObject, spec: Json) -> Iterator[Clue]:
    replicas = int_of(item.spec.get("replicas"), 1)
    terms = mappings_of(dig(spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"))
    if replicas > 1 and any(str(term.get("topologyKey")).endswith("hostname") for term in terms):
        yield _wish(
            item,
            F.K8S_PENDING_AFFINITY,
            f"its required pod anti-affinity needs {replicas} nodes for {replicas} replicas",
            f"podAntiAffinity on {terms[0].get('topologyKey')}, replicas: {replicas}",
            0.55,
        )
    required = mappings_of(
        dig(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    )
    rows = [
        row
        for term in required
        for row in mappings_of(term.get("matchExpressions"))
        if not _PLAIN_LABELS.match(str(row.get("key"))) and row.get("operator") in ("In", "Exists")
    ]
    if rows:
        said = "; ".join(f"{row.get('key')} {row.get('operator')} {row.get('values') or ''}" for row in rows)
        yield _wish(
            item, F.K8S_PENDING_AFFINITY, f"its node affinity needs nodes with {said}", f"nodeAffinity: {said}", 0.5
        )


def _wish(item: KubeObject, failure_class: F, cause: str, said: str, confidence: float) -> Clue:
    return Clue(
        failure_class=failure_class,
        rule="cluster-pending-wish",
        cause=f"{item.ref}: {cause}.",
        target=item.ref,
        quotes=(spec_quote(item, said),),
        confidence=confidence,
        rank=32,
    )


def _sandbox(snapshot: ClusterSnapshot, pod: KubeObject) -> Iterator[Clue]:
    events = events_saying(snapshot, pod.ref, r"^FailedCreatePodSandBox|^NetworkNotReady")
    if events:
        target = snapshot.workload_of(pod)
        yield Clue(
            failure_class=F.K8S_SANDBOX,
            rule="cluster-sandbox",
            cause=f"{target}: the node {pod.spec.get('nodeName')} cannot make a network for its pod: {one_line(events[-1].message)[:200]}.",
            target=target,
            victims=(pod.ref,),
            quotes=(event_quote(events[-1]),),
            confidence=0.9,
            rank=25,
            transient=True,
        )
