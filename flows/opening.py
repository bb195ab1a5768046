"""Opens the incidents of what was found here, so that the dispatcher hands them to the heal flow."""

from collections.abc import Callable, Iterable
from datetime import datetime

from tasks.clients.ledger import Ledger
from tasks.domain.incident import Incident, Signal, open_incident
from tasks.settings import Settings


def open_unless_known(
    settings: Settings, signals: Iterable[Signal], *, same: Callable[[Signal], object], now: datetime
) -> tuple[Incident, ...]:
    """An incident for each signal; one that is being healed already, as `same` tells, keeps its incident.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    ledger = Ledger.shared(settings.ledger_url)
    in_flight = ledger.incidents.newest(limit=1000, in_flight_only=True)
    known = {same(stored.incident.signal): stored.incident for stored in in_flight}
    return tuple(known.get(same(one)) or ledger.incidents.open(open_incident(one, now=now)) for one in signals)
