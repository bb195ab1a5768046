"""Whether the other failures of an incident went away with its heal, as the cluster itself shows it."""

import time
from collections.abc import Callable, Iterable

from tasks.domain.cluster import ClusterSnapshot, ObjectRef
from tasks.domain.cluster_health import ObjectHealth, health_of, namespace_health
from tasks.domain.incident import ClusterTarget
from tasks.verify.cluster import POLL_SECONDS, Read


def failing_places(
    read: Read,
    places: Iterable[ClusterTarget],
    *,
    stable_seconds: float,
    timeout_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> frozenset[ClusterTarget]:
    """Those of the places that are not well for `stable_seconds` on end when `timeout_seconds` are over; what all are
    well before is not waited for. With a timeout of 0 it is one look, at which what was ever restarted is not well.

    Raises:
        TransientError: the API server cannot be reached.
    """
    failing, since, restarts = dict.fromkeys(places), dict[ClusterTarget, float](), dict[ClusterTarget, int]()
    started = clock()
    while failing:
        state, at = read(), clock()
        for place in tuple(failing):
            told = place_health(state, place)
            count = sum(one.restarts for one in told)
            before = restarts.get(place, count if timeout_seconds else 0)
            restarts[place] = count
            if count > before or not all(one.healthy for one in told):
                since.pop(place, None)
            elif at - since.setdefault(place, at) >= (stable_seconds if timeout_seconds else 0):
                del failing[place]
        if not failing or clock() - started >= timeout_seconds:
            break
        wait(POLL_SECONDS)
    return frozenset(failing)


def place_health(state: ClusterSnapshot, place: ClusterTarget) -> tuple[ObjectHealth, ...]:
    """How what an alert names is: the object, or all of its namespace. What is gone does not fail any more."""
    if not place.name:
        return namespace_health(state, place.namespace)
    ref = ref_of(place)
    return (health_of(state, ref),) if state.find(ref.kind, ref.namespace, ref.name) is not None else ()


def ref_of(place: ClusterTarget) -> ObjectRef:
    """The object that a place names; without a name it stands for what is in the namespace."""
    return ObjectRef(kind=place.kind or "Pod", namespace=place.namespace, name=place.name)
