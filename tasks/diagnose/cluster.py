"""From what the analyzers noticed to causes: the dependency and not the victim, one cause and not its ten pods."""

import logging
import re
from collections.abc import Iterable, Sequence

from tasks.diagnose.analyzers.cluster import ANALYZERS
from tasks.diagnose.analyzers.cluster.rollout import changes_of
from tasks.diagnose.calls import redirected
from tasks.domain.cluster import ClusterSnapshot, ObjectRef, unique_refs
from tasks.domain.cluster_cause import SYMPTOM, Clue, ClusterCause, ClusterExplanation, Quote
from tasks.domain.diagnosis import Culprit, CulpritKind, Diagnosis
from tasks.domain.evidence import MAX_LINE_CHARACTERS, Evidence, EvidenceLine, UnreadableSource
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import short_hash

MAX_CAUSES, MAX_HINTS, MAX_VICTIMS, MAX_QUOTES = 100, 50, 20, 6
ASSUMED_KEEPS = 0.9
"""The share of its confidence that a clue keeps where only manifests were read, and no cluster's answer."""
TABLED_KEEPS = 0.6
"""The share of its confidence that a clue keeps where its objects were seen in a table only."""
_NETWORK_PLUGIN = re.compile(r"calico|flannel|cilium|weave|canal|antrea|aws-node|kindnet|ovn|multus|cni|kube-router")
_VAGUE = (F.K8S_PROBE_READY, F.DEP_ROLLOUT_TIMEOUT, F.K8S_CRASH_LIVENESS)
"""What is said of a workload that may be well itself, and suffers from another."""
_DETAILS = re.compile(r"\b[0-9a-f]{8,}\b|\d+")
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
_API_DOWN = re.compile(
    r"the API server \S+ cannot be reached|connection to the server \S+ was refused|cluster unreachable|:6443\b"
    r"|Unable to connect to the server",
    re.I,
)


def diagnose_cluster(
    snapshot: ClusterSnapshot, *, namespace: str | None = None, told: Sequence[Clue] = ()
) -> ClusterExplanation:
    """What is wrong in the cluster, or with one namespace of it, the gravest and surest first.

    `told` are clues from elsewhere, as of the deploy that failed; they are joined with those of the state.
    """
    clues, failed = _gather(snapshot)
    clues += [*_api_down(snapshot), *told]
    joined = _join(snapshot, [clue for clue in clues if not clue.hint])
    concerned = [_seen(snapshot, clue) for clue in joined if _concerns(clue, namespace)]
    concerned.sort(key=lambda clue: (clue.rank >= SYMPTOM, _weight(clue), clue.rank))
    hints = [clue for clue in _merged([clue for clue in clues if clue.hint]) if _concerns(clue, namespace)]
    lines: list[EvidenceLine] = []
    return ClusterExplanation(
        causes=tuple(_cause(snapshot, clue, lines) for clue in concerned[:MAX_CAUSES]),
        hints=tuple(_cause(snapshot, clue, lines) for clue in hints[:MAX_HINTS]),
        evidence=Evidence(lines=tuple(lines), unreadable=(*snapshot.unreadable, *failed)),
        objects_read=len(snapshot.objects),
    )


def _gather(snapshot: ClusterSnapshot) -> tuple[list[Clue], list[UnreadableSource]]:
    clues: list[Clue] = []
    failed: list[UnreadableSource] = []
    for analyzer in ANALYZERS:
        try:
            clues.extend(analyzer(snapshot))
        except Exception as error:
            logging.getLogger(__name__).exception("analyzer %s failed", analyzer.__name__)
            failed.append(
                UnreadableSource(
                    source=f"analyzer:{analyzer.__name__}", reason=f"{type(error).__name__}: {error}"[:300]
                )
            )
    return clues, failed


def _api_down(snapshot: ClusterSnapshot) -> list[Clue]:
    told = [source for source in snapshot.unreadable if _API_DOWN.search(source.reason)]
    if not told:
        return []
    quote = Quote(source=f"text:{told[0].source}", text=told[0].reason)
    target = ObjectRef(kind="Cluster", name="kubernetes")
    return [
        Clue(
            failure_class=F.API_UNREACHABLE,
            rule="cluster-api",
            cause="The API server of the cluster does not answer.",
            target=target,
            quotes=(quote,),
            confidence=0.9,
            rank=0,
        )
    ]


def _seen(snapshot: ClusterSnapshot, clue: Clue) -> Clue:
    """Less sure of what was only seen as a row of a table: nobody looked closer at it."""
    known = [snapshot.find(ref.kind, ref.namespace, ref.name) for ref in (clue.target, *clue.victims)]
    seen = [item for item in known if item is not None]
    told = any(quote.source.startswith(("event:", "log:", "text:")) for quote in clue.quotes)
    if told or not seen or not all(item.sketched for item in seen):
        return clue
    return clue.model_copy(update={"confidence": round(clue.confidence * TABLED_KEEPS, 2)})


def _weight(clue: Clue) -> float:
    """What is sure and hurts many comes first."""
    return -(clue.confidence + min(len(clue.victims), 20) * 0.005 + (0.2 if clue.rank < 10 else 0.0))


def _concerns(clue: Clue, namespace: str | None) -> bool:
    if namespace is None or clue.target.namespace == namespace:
        return True
    return any(victim.namespace == namespace for victim in clue.victims)


def _join(snapshot: ClusterSnapshot, clues: Sequence[Clue]) -> list[Clue]:
    """Merge the same, then let consequences yield to their causes."""
    merged = _merged(redirected(snapshot, clues))
    merged = _without_weaker(merged)
    merged = _without_hosted(snapshot, merged)
    return _without_dependents(snapshot, merged)


def _merged(clues: Iterable[Clue]) -> list[Clue]:
    found: dict[tuple[object, ...], Clue] = {}
    for clue in clues:
        key = (clue.failure_class, clue.target, clue.host)
        known = found.get(key)
        if known is None:
            found[key] = clue
            continue
        best, other = sorted((known, clue), key=lambda row: (row.rank >= SYMPTOM, -row.confidence))
        quotes = tuple(dict.fromkeys((*best.quotes, *other.quotes)))[:MAX_QUOTES]
        victims = unique_refs((*known.victims, *clue.victims))
        found[key] = best.model_copy(update={"quotes": quotes, "victims": victims})
    return list(found.values())


def _without_weaker(clues: Sequence[Clue]) -> list[Clue]:
    """Of what is said about one workload, the cause stays and its consequences go: what they quote goes over to it."""
    groups: dict[ObjectRef, list[Clue]] = {}
    for clue in clues:
        for ref in unique_refs((clue.target, *(victim for victim in clue.victims if victim.kind in _WORKLOADS))):
            groups.setdefault(ref, []).append(clue)
    gone: set[int] = set()
    shown: dict[int, list[Clue]] = {}
    for ref, group in groups.items():
        first = min(group, key=lambda clue: (clue.rank, -clue.confidence))
        for clue in group:
            if clue is first or id(clue) in gone:
                continue
            consequence = clue.rank >= SYMPTOM or (clue.rank >= 40 and first.rank < 40)
            about_same = clue.target == ref and ref.kind in _WORKLOADS
            if (about_same and consequence and first.rank < SYMPTOM) or (
                about_same and clue.rank >= SYMPTOM and first.rank < clue.rank and len(group) > 1
            ):
                gone.add(id(clue))
                shown.setdefault(id(first), []).append(clue)
    return [_with_consequences(clue, shown.get(id(clue), ())) for clue in clues if id(clue) not in gone]


def _with_consequences(clue: Clue, more: Sequence[Clue]) -> Clue:
    """The clue with a consequence or two among its quotes, even where it has as many as it may, and all victims."""
    if not more:
        return clue
    added = tuple(dict.fromkeys(other.quotes[0] for other in more))[:2]
    quotes = tuple(dict.fromkeys((*clue.quotes[: MAX_QUOTES - len(added)], *added)))
    victims = unique_refs((*clue.victims, *(ref for other in more for ref in other.victims)))
    return clue.model_copy(update={"quotes": quotes, "victims": victims})


def _without_hosted(snapshot: ClusterSnapshot, clues: Sequence[Clue]) -> list[Clue]:
    """What happens on a node that is gone is the node's doing."""
    dead = {clue.target.name: clue for clue in clues if clue.failure_class is F.K8S_NODE_NOTREADY}
    if not dead:
        return list(clues)
    kept: list[Clue] = []
    for clue in clues:
        pods = [
            snapshot.find(victim.kind, victim.namespace, victim.name) for victim in clue.victims if victim.kind == "Pod"
        ]
        on_dead = [pod for pod in pods if pod is not None and pod.spec.get("nodeName") in dead]
        vague = clue.failure_class in _VAGUE
        owners = {victim for node in dead.values() for victim in node.victims}
        if vague and (on_dead or clue.target in owners):
            continue
        kept.append(clue)
    return kept


def _without_dependents(_snapshot: ClusterSnapshot, clues: Sequence[Clue]) -> list[Clue]:
    """Unanswered calls go over to the clue that says what is wrong on the other side."""
    blockers = [
        clue
        for clue in clues
        if clue.failure_class in (F.K8S_NETPOL, F.K8S_SVC_SELECTOR, F.K8S_SVC_PORT) and not clue.host
    ]
    resolver = [
        clue for clue in clues if clue.target.namespace == "kube-system" and "dns" in clue.target.name and not clue.host
    ]
    kept: list[Clue] = []
    taken: dict[int, list[ObjectRef]] = {}
    for clue in clues:
        depends = clue.host or clue.failure_class is F.K8S_SANDBOX
        root = _root_of(clue, clues, blockers, resolver) if depends else None
        if root is None:
            kept.append(clue)
        else:
            taken.setdefault(id(root), []).extend((clue.target, *clue.victims))
    victims = {ref for refs in taken.values() for ref in refs}
    return [
        clue.model_copy(
            update={
                "victims": unique_refs((*clue.victims, *(ref for ref in taken.get(id(clue), ()) if ref != clue.target)))
            }
        )
        for clue in kept
        if not (clue.target in victims and clue.rank >= 40 and clue.failure_class in _VAGUE)
    ]


def _root_of(clue: Clue, clues: Sequence[Clue], blockers: Sequence[Clue], resolver: Sequence[Clue]) -> Clue | None:
    for blocker in blockers:
        if blocker.target == clue.target or set(blocker.victims) & {clue.target, *clue.victims}:
            return blocker
    if clue.failure_class is F.K8S_SANDBOX:
        plugins = [other for other in clues if other.target.kind == "DaemonSet" and other.rank < SYMPTOM]
        return next((other for other in plugins if _NETWORK_PLUGIN.search(other.target.name)), None)
    if clue.failure_class is F.K8S_DNS and resolver:
        return resolver[0]
    same = [
        other
        for other in clues
        if other is not clue and not other.host and other.target == clue.target and other.rank < SYMPTOM
    ]
    if same and clue.rank >= 50:
        return min(same, key=lambda other: other.rank)
    through = [
        other
        for other in clues
        if other is not clue
        and not other.host
        and clue.rank >= 50
        and clue.target in other.victims
        and other.rank < SYMPTOM
    ]
    return min(through, key=lambda other: other.rank) if through else None


def _cause(snapshot: ClusterSnapshot, clue: Clue, lines: list[EvidenceLine]) -> ClusterCause:
    ids = []
    quotes = (*clue.quotes, *changes_of(snapshot, clue.target))
    for quote in quotes[: MAX_QUOTES + 3]:
        text = quote.text[:MAX_LINE_CHARACTERS]
        known = next((line for line in lines if (line.source, line.text) == (quote.source, text)), None)
        if known is None:
            known = EvidenceLine(
                id=f"E{len(lines) + 1}",
                source=quote.source,
                line_number=quote.line_number,
                text=text,
                signature=clue.rule,
            )
            lines.append(known)
        ids.append(known.id)
    confidence = clue.confidence * (ASSUMED_KEEPS if snapshot.desired_only else 1.0)
    victims = tuple(ref for ref in clue.victims if ref != clue.target)
    diagnosis = Diagnosis(
        failure_class=clue.failure_class,
        cause=clue.cause,
        culprit=Culprit(kind=CulpritKind.RESOURCE, name=str(clue.target)),
        evidence_ids=tuple(dict.fromkeys(ids)),
        confidence=round(min(0.99, confidence), 2),
        transient=clue.transient,
        rule=clue.rule,
        fingerprint=short_hash(clue.failure_class, str(clue.target), _DETAILS.sub("#", clue.host), length=20),
    )
    return ClusterCause(
        diagnosis=diagnosis, target=clue.target, victims=victims[:MAX_VICTIMS], victim_count=len(victims)
    )
