"""What accepted events said, word for word: kept for a while, so that no ledger grows with all that ever arrived."""

from datetime import datetime

from sqlalchemy import Engine, func, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.events import EventStatus
from tasks.clients.ledger.incidents import IN_FLIGHT
from tasks.clients.ledger.tables import events, incidents, members


class Bodies:
    """The bodies of events. The events themselves stay, so that one that is sent again is still known."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def empty(self, *, before: datetime, after: datetime | None = None, limit: int) -> datetime | None:
        """Delete what the oldest settled events say that arrived `before` then; returns when the last of them arrived,
        `None` when there was none. Those that arrived `after` then are looked at, `None` for all.

        What came since the oldest failure of an incident in flight stays: the incident may still be explained from it.
        """
        until = min([before.isoformat(), *self._needed_since()])
        due = select(events.c.delivery_id, events.c.received_at).where(
            events.c.status != EventStatus.PENDING, events.c.received_at < until, func.length(events.c.body) > 0
        )
        if after is not None:
            due = due.where(events.c.received_at >= after.isoformat())
        with reading(self._engine) as connection:
            rows = connection.execute(due.order_by(events.c.received_at).limit(limit)).all()
        if not rows:
            return None
        with transaction(self._engine) as connection:
            ids = [row.delivery_id for row in rows]
            connection.execute(update(events).where(events.c.delivery_id.in_(ids)).values(body=b""))
        return datetime.fromisoformat(rows[-1].received_at)

    def _needed_since(self) -> list[str]:
        """When the oldest incident in flight was opened, and when the oldest failure in one arrived."""
        opened = select(func.min(incidents.c.opened_at)).where(IN_FLIGHT)
        arrived = (
            select(func.min(members.c.joined_at))
            .join(incidents, incidents.c.id == members.c.incident_id)
            .where(IN_FLIGHT)
        )
        with reading(self._engine) as connection:
            return [one for one in (connection.execute(opened).scalar(), connection.execute(arrived).scalar()) if one]
