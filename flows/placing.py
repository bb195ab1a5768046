"""Places failures: each becomes an incident or joins one that it belongs to.

Every step can be done again, so that a process that is killed here leaves nothing half done.
"""

from collections.abc import Sequence
from datetime import datetime

from tasks.clients.ledger import Ledger
from tasks.domain.base import Noun
from tasks.domain.grouping import Following, GroupKey, Member
from tasks.domain.incident import Signal, open_incident, signal_key
from tasks.intake import choose_incident, group_keys
from tasks.settings import IntakeSettings

MAX_GENERATIONS = 5
"""How many incidents one after the other are for what the one before left; then a person takes over."""


class Placement(Noun):
    """Where a failure went."""

    incident_id: str
    joined_by: str = ""
    """What it shares with the incident's first one; empty when it is the first."""


def place_signal(ledger: Ledger, signal: Signal, *, settings: IntakeSettings, now: datetime) -> Placement:
    """Open an incident, or join the one that the failure belongs to."""
    incident = open_incident(signal, now=now)
    keys = group_keys(signal, by=settings.group_by)
    known = ledger.members.incident_of(incident.key)
    if known is not None:
        return Placement(incident_id=known)
    others = [one for one in ledger.members.gatherings(keys) if one.incident_id != incident.id]
    home = choose_incident(others, now=now, window_seconds=settings.group_window_seconds)
    if home is not None:
        _join(ledger, home.incident_id, signal, incident.key, home.key, now)
        return Placement(incident_id=home.incident_id, joined_by=str(home.key))
    opened = ledger.incidents.open(incident)
    ledger.members.add(opened.id, signal, key=incident.key, joined_by=None, keys=keys, at=now)
    return Placement(incident_id=opened.id)


def _join(ledger: Ledger, incident_id: str, signal: Signal, key: str, by: GroupKey, now: datetime) -> None:
    """The bond is renewed; the new member's other keys are not taken over, or a storm would swallow everything."""
    if ledger.members.add(incident_id, signal, key=key, joined_by=by, keys=(by,), at=now):
        count = ledger.members.count(incident_id)
        if is_told(count):
            ledger.incidents.note(incident_id, f"failure {count}, same {by}: {signal.title}", at=now)


def is_told(count: int) -> bool:
    """A storm of thousands does not fill the incident's story."""
    return 0 < count <= 10 or (count > 10 and count % 100 == 0)


def place_left(
    ledger: Ledger, incident_id: str, failing: Sequence[Member], *, settings: IntakeSettings, now: datetime
) -> Following | None:
    """The one incident for all that still fails of one that ends, opened with its end; `None` when nothing does.

    They shared a cause or seemed to, so that the next look is again at one of them and not at each.
    """
    if not failing:
        return None
    if ledger.members.generation(incident_id, most=MAX_GENERATIONS) >= MAX_GENERATIONS:
        told = f"{len(failing)} of its failures still show after {MAX_GENERATIONS} more incidents; a person has to look"
        ledger.incidents.note(incident_id, told, at=now)
        return None
    first = failing[0].signal
    return Following(
        incident=open_incident(first, now=now),
        found_by=group_keys(first, by=settings.group_by),
        members=tuple(signal_key(one.signal) for one in failing),
    )
