"""What was to be deleted and stays: a finalizer waits for something, or content is left; and who waits for the end of it."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import event_quote, is_leaving, one_line, states_of, status_quote
from tasks.domain.cluster import (
    ClusterEvent,
    ClusterSnapshot,
    KubeObject,
    ObjectRef,
    dig,
    mappings_of,
    unique_refs,
)
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F

OVERDUE_SECONDS = 300
"""After this long a deletion is stuck; what owns much takes its time."""
ENDED_SECONDS = 60
"""After this long a pod is stuck of which nothing runs any more; its time counts from the end of its grace period."""
_WAITS = re.compile(
    r"persistentvolumeclaim \\?\"(?P<claim>[\w.-]+)\\?\" is being deleted"
    r"|(?:namespace|unable to create new content in namespace) \\?\"?(?P<space>[\w-]+)\\?\"?[^:]*because it is being terminated"
    r"|object is being deleted: (?P<kind>[a-z]+)(?:\.\S+)? \\?\"(?P<name>[\w.-]+)\\?\""
)
_KINDS = {"persistentvolumeclaims": "PersistentVolumeClaim", "pods": "Pod", "services": "Service", "jobs": "Job"}
_REMAINS = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionContentFailure")  # fmt: skip


def find_stuck_deletions(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each object that is not gone though it should be."""
    waiting = _waiting(snapshot)
    for item in snapshot.objects:
        if item.kind == "Namespace" and item.status.get("phase") == "Terminating":
            yield from _namespace(snapshot, item, waiting)
        elif is_leaving(item) and not _of_leaving_namespace(snapshot, item):
            yield from _object(snapshot, item, waiting)


def _waiting(snapshot: ClusterSnapshot) -> dict[ObjectRef, list[ClusterEvent]]:
    """What is said of waiting for a deletion to end, by what is being deleted."""
    found: dict[ObjectRef, list[ClusterEvent]] = {}
    for event in snapshot.events:
        match = _WAITS.search(event.message) if event.warning else None
        if match is None:
            continue
        if match["space"]:
            ref = ObjectRef(kind="Namespace", name=match["space"])
        elif match["claim"]:
            ref = ObjectRef(kind="PersistentVolumeClaim", namespace=event.about.namespace, name=match["claim"])
        else:
            kind = _KINDS.get(match["kind"], match["kind"].removesuffix("s").capitalize())
            ref = ObjectRef(kind=kind, namespace=event.about.namespace, name=match["name"])
        found.setdefault(ref, []).append(event)
    return found


def _of_leaving_namespace(snapshot: ClusterSnapshot, item: KubeObject) -> bool:
    home = snapshot.find("Namespace", "", item.namespace) if item.namespace else None
    return home is not None and home.status.get("phase") == "Terminating"


def _namespace(
    snapshot: ClusterSnapshot, item: KubeObject, waiting: dict[ObjectRef, list[ClusterEvent]]
) -> Iterator[Clue]:
    rows = [item.condition(kind) for kind in _REMAINS if item.condition(kind).get("status") == "True"]
    if not (rows or waiting.get(item.ref) or _is_overdue(snapshot, item)):
        return
    said = "; ".join(one_line(f"{row.get('type')}: {row.get('message')}") for row in rows) or "phase: Terminating"
    events = waiting.get(item.ref, [])
    quotes = (status_quote(item, said), *(event_quote(event) for event in events[-1:]))
    why = f": {said[:300].rstrip('.')}" if rows else ""
    yield _clue(item, f"{item.ref} is being deleted and does not go{why}.", quotes, _victims(snapshot, events))


def _object(
    snapshot: ClusterSnapshot, item: KubeObject, waiting: dict[ObjectRef, list[ClusterEvent]]
) -> Iterator[Clue]:
    events = waiting.get(item.ref, [])
    if not events and not _is_overdue(snapshot, item):
        return
    finalizers = [str(name) for name in dig(item.raw, "metadata", "finalizers") or ()]
    held = f", held by its finalizer {' and '.join(finalizers)}" if finalizers else ""
    users = _users(snapshot, item)
    held += f" while {users[0]} uses it" if users else ""
    said = f"deletionTimestamp: {dig(item.raw, 'metadata', 'deletionTimestamp')}, finalizers: {finalizers or 'none'}"
    quotes = (status_quote(item, said), *(event_quote(event) for event in events[-1:]))
    victims = unique_refs((*_victims(snapshot, events), *_replaced_by(snapshot, item)))
    clue = _clue(item, f"{item.ref} is being deleted and does not go{held}.", quotes, victims)
    stays = bool(victims or users or (item.kind == "Pod" and finalizers))
    yield clue.model_copy(update={"hint": not stays, "confidence": clue.confidence if finalizers else 0.7})


def _clue(item: KubeObject, cause: str, quotes: tuple[Quote, ...], victims: tuple[ObjectRef, ...]) -> Clue:
    return Clue(
        failure_class=F.K8S_TERMINATING,
        rule="cluster-deletion",
        cause=cause,
        target=item.ref,
        victims=victims,
        quotes=quotes,
        confidence=0.85,
        rank=12,
    )


def _victims(snapshot: ClusterSnapshot, events: list[ClusterEvent]) -> tuple[ObjectRef, ...]:
    found: list[ObjectRef] = []
    for event in events:
        item = snapshot.find(event.about.kind, event.about.namespace, event.about.name)
        found += [snapshot.workload_of(item), item.ref] if item is not None else [event.about]
    return unique_refs(found)


def _replaced_by(snapshot: ClusterSnapshot, item: KubeObject) -> tuple[ObjectRef, ...]:
    """A set makes no new pod of a name before the old one is gone; a Recreate rollout waits for all of them."""
    if item.kind != "Pod":
        return ()
    owner = snapshot.workload_of(item)
    maker = snapshot.find(owner.kind, owner.namespace, owner.name)
    if maker is None:
        return ()
    recreates = maker.kind == "Deployment" and dig(maker.spec, "strategy", "type") == "Recreate"
    waits = maker.kind in ("StatefulSet", "DaemonSet") or recreates
    wanted = maker.spec.get("replicas", maker.status.get("desiredNumberScheduled", 1))
    ready = maker.status.get("readyReplicas", maker.status.get("numberReady", 0))
    return (owner,) if waits and isinstance(wanted, int) and (ready or 0) < wanted else ()


def _users(snapshot: ClusterSnapshot, item: KubeObject) -> list[ObjectRef]:
    """The pods that mount a claim."""
    if item.kind != "PersistentVolumeClaim":
        return []
    return [
        pod.ref
        for pod in snapshot.of_kind("Pod", item.namespace)
        if pod.spec.get("nodeName")
        and any(
            dig(row, "persistentVolumeClaim", "claimName") == item.name for row in mappings_of(pod.spec.get("volumes"))
        )
    ]


def _is_overdue(snapshot: ClusterSnapshot, item: KubeObject) -> bool:
    since = snapshot.seconds_since(dig(item.raw, "metadata", "deletionTimestamp"))
    ended = item.kind == "Pod" and not any(state.running for state in states_of(item))
    return since is not None and since > (ENDED_SECONDS if ended else OVERDUE_SECONDS)
