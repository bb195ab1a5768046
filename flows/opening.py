"""Opens the incidents of what was found here, so that the dispatcher hands them to the heal flow."""

from collections.abc import Callable, Sequence
from datetime import datetime

from tasks.clients.ledger import Ledger
from tasks.domain.base import Noun
from tasks.domain.cluster import ObjectRef
from tasks.domain.grouping import GroupedBy
from tasks.domain.incident import Incident, Signal, open_incident
from tasks.intake import choose_incident, group_keys
from tasks.settings import IntakeSettings, Settings


class Found(Noun):
    """A failure that was found here, and what else fails by it."""

    signal: Signal
    suffering: tuple[ObjectRef, ...] = ()


def open_unless_known(
    settings: Settings, found: Sequence[Found], *, same: Callable[[Signal], object], joins: bool = False, now: datetime
) -> tuple[Incident, ...]:
    """An incident for each; one that is being healed already, as `same` tells, keeps its incident, and with `joins`
    also where a webhook told of it by another name. Webhooks that tell of it later join what is opened here.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    ledger = Ledger.shared(settings.ledger_url)
    in_flight = ledger.incidents.newest(limit=1000, in_flight_only=True)
    known = {same(stored.incident.signal): stored.incident for stored in in_flight}
    # All are looked up before any is opened: what was found at once are different causes.
    homes = [
        known.get(same(one.signal)) or (_home(ledger, settings.intake, one.signal, now) if joins else None)
        for one in found
    ]
    opened = [home or _open(ledger, settings.intake, one, now) for one, home in zip(found, homes, strict=True)]
    return tuple({incident.id: incident for incident in opened}.values())


def _home(ledger: Ledger, settings: IntakeSettings, signal: Signal, now: datetime) -> Incident | None:
    """The incident in flight that is about the same object, by whoever opened it."""
    keys = [key for key in group_keys(signal, by=settings.group_by) if key.by is GroupedBy.TARGET]
    others = [one for one in ledger.members.gatherings(keys) if not one.status.ended]
    home = choose_incident(others, now=now, window_seconds=settings.group_window_seconds)
    return ledger.incidents.get(home.incident_id).incident if home is not None else None


def _open(ledger: Ledger, settings: IntakeSettings, found: Found, now: datetime) -> Incident:
    incident = open_incident(found.signal, now=now)
    opened = ledger.incidents.open(incident)
    keys = group_keys(found.signal, by=settings.group_by, suffering=found.suffering)
    ledger.members.add(opened.id, found.signal, key=incident.key, joined_by=None, keys=keys, at=now)
    return opened
