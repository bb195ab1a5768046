"""Whether what its sender calls well again is well, as the cluster itself shows it.

A sender may fall silent, and its silence looks like an end: a Prometheus that stopped, a rule that was renamed, a pod
whose series ended with it. So the failed thing itself is looked at, with what has to change for it where that is known.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, dig, mappings_of, unique_refs
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.cluster_health import ObjectHealth, health_of, shows_health
from tasks.domain.incident import ClusterTarget
from tasks.domain.owning import owners_by_name
from tasks.verify.cluster import comes_and_goes
from tasks.verify.members import place_health, ref_of

FORGIVEN_AFTER = timedelta(minutes=10)
"""A container that ran for so long counts as one that never failed:
https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy"""


class Seen(Noun):
    """What one look showed of what an incident is about."""

    failing: tuple[ObjectHealth, ...] = ()
    well: tuple[ObjectHealth, ...] = ()
    """With `failing` empty, too, nothing of it shows whether it is well."""


def refs_to_read(places: Iterable[ClusterTarget], found: ClusterTriage | None) -> tuple[ObjectRef, ...]:
    """What has to be read for a look; objects of namespaces come with all that is in those."""
    return unique_refs((*(ref_of(place) for place in places), *(found.watched if found is not None else ())))


def look_again(
    state: ClusterSnapshot, places: Iterable[ClusterTarget], found: ClusterTriage | None, *, now: datetime
) -> Seen:
    """Look at what failed, at what owns it, and at all that triage wanted to see healthy; `found` is `None` before
    that. What runs again after a crash is not well before it ran as long as Kubernetes itself wants it to.
    """
    told: dict[ObjectRef, ObjectHealth] = {}
    for place in dict.fromkeys(places):
        for one in _told_of(state, place):
            told.setdefault(one.ref, one)
    for ref in found.watched if found is not None else ():
        told[ref] = health_of(state, ref)
    judged = [_unless_it_crashed(state, one, now) for one in told.values()]
    if found is not None and found.cause is not None and comes_and_goes(found, state):
        target = found.cause.target
        again = "it runs, as it did before between two failures"
        judged = [one for one in judged if one.ref != target] + [ObjectHealth(ref=target, healthy=False, detail=again)]
    return Seen(
        failing=tuple(one for one in judged if not one.healthy), well=tuple(one for one in judged if one.healthy)
    )


def _told_of(state: ClusterSnapshot, place: ClusterTarget) -> Iterator[ObjectHealth]:
    if not place.name:
        yield from place_health(state, place)
        return
    refs = _standing(state, place)
    if not refs and (not shows_health(place.kind) or (place.kind == "Node" and _is_address(place.name))):
        return  # that none was found says nothing: it was not looked for, or by another name
    if not refs:
        yield ObjectHealth(ref=ref_of(place), healthy=True, detail="it is gone")
    yield from (health_of(state, ref) for ref in refs if shows_health(ref.kind))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _standing(state: ClusterSnapshot, place: ClusterTarget) -> tuple[ObjectRef, ...]:
    """The object with its workload. Of a pod that is gone, what its name says that it was of: another pod of it may
    fail as it did."""
    ref = ref_of(place)
    item = state.find(ref.kind, ref.namespace, ref.name)
    if item is None:
        owners = (ObjectRef(kind=k, namespace=ref.namespace, name=n) for k, n in owners_by_name(ref.kind, ref.name))
        return tuple(one for one in owners if state.find(one.kind, one.namespace, one.name) is not None)
    workload = state.workload_of(item)
    replaced = ref.kind == "Pod" and workload != ref and item.status.get("phase") == "Failed"
    return (workload,) if replaced else unique_refs((ref, workload))


def _unless_it_crashed(state: ClusterSnapshot, told: ObjectHealth, now: datetime) -> ObjectHealth:
    item = state.find(told.ref.kind, told.ref.namespace, told.ref.name)
    pods = [item] if told.ref.kind == "Pod" and item is not None else state.pods_of(told.ref)
    crashed = max((at for pod in pods for at in _ends(pod)), default=None)
    if not told.healthy or crashed is None or now - crashed >= FORGIVEN_AFTER:
        return told
    until = (crashed + FORGIVEN_AFTER).astimezone(UTC)
    return told.model_copy(update={"healthy": False, "detail": f"it was restarted, and has to run until {until:%H:%M}"})


def _ends(pod: KubeObject) -> Iterator[datetime]:
    """When containers of a pod ended that were started again."""
    for row in mappings_of(pod.status.get("containerStatuses")):
        ended = dig(row, "lastState", "terminated", "finishedAt")
        if isinstance(ended, str):
            try:
                yield datetime.fromisoformat(ended)
            except ValueError:
                continue
