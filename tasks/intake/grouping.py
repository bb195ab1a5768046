"""The rules of a storm: which failures are one incident, so that there is one heal for each cause."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tasks.domain.cluster import ObjectRef
from tasks.domain.grouping import Gathering, GroupedBy, GroupKey
from tasks.domain.incident import ClusterTarget, IncidentStatus, Signal
from tasks.domain.owning import owners_by_name

_CLOSEST = {by: position for position, by in enumerate(GroupedBy)}
MAX_KEY = 380
"""Characters of a bond that are told from another; the ledger's columns hold a few more."""
_SETTLED = frozenset({IncidentStatus.HEALED, IncidentStatus.UNDONE, IncidentStatus.RESOLVED, IncidentStatus.JOINED})
"""Ends after which the cause is gone, or healed elsewhere: what fails then is news."""


def group_keys(
    signal: Signal, *, by: Iterable[GroupedBy] = tuple(GroupedBy), suffering: Sequence[ObjectRef] = ()
) -> tuple[GroupKey, ...]:
    """What the failure can share with others, the closest bond first; only the kinds in `by`.

    `suffering` are other objects that are known to fail by it. What happens in another cluster shares nothing with what
    happens here but its sender's name for it.
    """
    place, apart = signal.cluster, f"{signal.elsewhere}: " if signal.elsewhere else ""
    node = f"{place.context}:{place.node}" if place and place.node else ""
    values = (
        (GroupedBy.FINGERPRINT, f"{signal.source}:{signal.fingerprint}" if signal.fingerprint else ""),
        *((GroupedBy.TARGET, one) for one in (_targets(place, suffering) if place else ())),
        (GroupedBy.DEPENDENCY, signal.dependency and apart + signal.dependency),
        (GroupedBy.NODE, node.removeprefix(":")),
        (GroupedBy.COMMIT, f"{signal.repository}@{signal.commit}" if signal.commit else ""),
        (GroupedBy.GROUP, signal.group and apart + signal.group),
    )
    wanted = set(by)
    told = (GroupKey(by=kind, value=value[:MAX_KEY]) for kind, value in values if value and kind in wanted)
    return tuple(dict.fromkeys(told))


def cause_keys(
    signal: Signal, cause: ObjectRef, victims: Sequence[ObjectRef] = (), *, by: Iterable[GroupedBy] = tuple(GroupedBy)
) -> tuple[GroupKey, ...]:
    """What a failure is about once triage has found what has to change for it: that, first, and all that suffers."""
    context = signal.cluster.context if signal.cluster is not None else ""
    changes = GroupKey(by=GroupedBy.CAUSE, value=f"{context}:{cause}".removeprefix(":")[:MAX_KEY])
    suffering = group_keys(signal, by=set(by) & {GroupedBy.TARGET}, suffering=(cause, *victims))
    return (*([changes] if GroupedBy.CAUSE in by else []), *suffering)


def _targets(place: ClusterTarget, suffering: Sequence[ObjectRef]) -> Iterator[str]:
    """The object with its workload, so that the pods of one are one failure, and then what suffers."""
    where = f"{place.context}:".removeprefix(":")
    if place.name:
        for kind, name in ((place.kind, place.name), *owners_by_name(place.kind, place.name)):
            yield f"{where}{place.namespace}/{kind}/{name}"
    for ref in suffering:
        yield f"{where}{ref.namespace}/{ref.kind}/{ref.name}"


def choose_incident(gatherings: Sequence[Gathering], *, now: datetime, window_seconds: float) -> Gathering | None:
    """The incident that a failure with the keys of `gatherings` belongs to, `None` when it is one of its own.

    It has to be the closest bond, to an incident whose newest member came within the window; what is in flight takes
    its own fingerprint and its own target at any time. One that has ended still takes members while its cause stands;
    but a further failure of a commit then deserves a look of its own.
    """
    window = timedelta(seconds=window_seconds)
    fresh = [one for one in gatherings if _open_to(one) and (now - one.newest_at < window or _is_the_same(one, window))]
    return min(fresh, key=lambda one: (_CLOSEST[one.key.by], -one.newest_at.timestamp()), default=None)


def _open_to(gathering: Gathering) -> bool:
    if not gathering.status.ended:
        return True
    return gathering.status not in _SETTLED and gathering.key.by is not GroupedBy.COMMIT


def _is_the_same(gathering: Gathering, window: timedelta) -> bool:
    """Whether it is the very thing that is being healed, however long a person is waited for."""
    if gathering.status.ended:
        return False
    by = gathering.key.by
    return by is GroupedBy.FINGERPRINT or (by is GroupedBy.TARGET and bool(window))
