"""Accepted webhook events: committed before the door answers, dispatched after."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, RowMapping, delete, func, insert, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import events
from tasks.domain.base import Noun, UtcTime
from tasks.errors import NotFoundError

COMMENTS = "github_comment"
"""The source of the events that answer questions. They wait in a line of their own: GitHub may have to be asked about
whoever wrote them, and a GitHub that is away must hold up no failure."""


class EventStatus(StrEnum):
    """How far an event has come."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    IGNORED = "ignored"
    REFUSED = "refused"


class StoredEvent(Noun):
    """One delivery as it arrived."""

    delivery_id: str
    source: str
    event_name: str
    body: bytes
    received_at: UtcTime
    status: EventStatus = EventStatus.PENDING
    incident_id: str | None = None
    note: str = ""


class Backlog(Noun):
    """What was accepted and not yet handed on."""

    pending: int
    oldest_at: UtcTime | None


class Events:
    """The queue between the gateway and the flows; `EventWriter` fills it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def mark_run(self, run_id: str, incident_id: str, *, at: datetime) -> None:
        """Remember that a run of Prefect has told its failure itself, so that Prefect's own event of that failure
        opens no second incident."""
        told = StoredEvent(
            delivery_id=f"run-{run_id}",
            source="prefect",
            event_name="told by the run",
            body=b"",
            received_at=at,
            status=EventStatus.DISPATCHED,
            incident_id=incident_id,
        )
        with transaction(self._engine) as connection:
            connection.execute(delete(events).where(events.c.delivery_id == told.delivery_id))
            connection.execute(insert(events).values(**event_values(told)))

    def told_by_run(self, run_id: str) -> str | None:
        """The incident that a run told its failure with, `None` when it told none."""
        query = select(events.c.incident_id).where(events.c.delivery_id == f"run-{run_id}")
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def forget_run(self, run_id: str) -> None:
        """What fails in the same run from now on, as after a forced retry, is another failure."""
        with transaction(self._engine) as connection:
            connection.execute(delete(events).where(events.c.delivery_id == f"run-{run_id}"))

    def backlog(self) -> Backlog:
        """How many events wait to be handed on, and since when the oldest does."""
        query = select(func.count(), func.min(events.c.received_at)).where(events.c.status == EventStatus.PENDING)
        with reading(self._engine) as connection:
            count, oldest = connection.execute(query).one()
        return Backlog(pending=count, oldest_at=datetime.fromisoformat(oldest) if oldest else None)

    def pending(self, *, limit: int = 20, comments: bool = False) -> tuple[StoredEvent, ...]:
        """The oldest events that were accepted and not yet handed on: `comments`, or all the others."""
        line = events.c.source == COMMENTS if comments else events.c.source != COMMENTS
        query = select(events).where(events.c.status == EventStatus.PENDING, line)
        query = query.order_by(events.c.received_at).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(_stored(row) for row in rows)

    def known(self, delivery_ids: Sequence[str]) -> set[str]:
        """Those of the deliveries that were accepted."""
        found: set[str] = set()
        with reading(self._engine) as connection:
            for start in range(0, len(delivery_ids), 500):
                some = events.c.delivery_id.in_(delivery_ids[start : start + 500])
                found |= set(connection.execute(select(events.c.delivery_id).where(some)).scalars())
        return found

    def get(self, delivery_id: str) -> StoredEvent:
        """One delivery.

        Raises:
            NotFoundError: it was never accepted.
        """
        with reading(self._engine) as connection:
            row = connection.execute(select(events).where(events.c.delivery_id == delivery_id)).mappings().first()
        if row is None:
            raise NotFoundError(f"no event has the delivery id {delivery_id[:128]!r}")
        return _stored(row)

    def settle(self, delivery_id: str, status: EventStatus, *, incident_id: str | None = None, note: str = "") -> None:
        """Say what became of an event."""
        with transaction(self._engine) as connection:
            connection.execute(
                update(events)
                .where(events.c.delivery_id == delivery_id)
                .values(status=status, incident_id=incident_id, note=note)
            )


def event_values(event: StoredEvent) -> dict[str, object]:
    """The row of an event."""
    return event.model_dump() | {"received_at": event.received_at.isoformat()}


def _stored(row: RowMapping) -> StoredEvent:
    return StoredEvent.model_validate(dict(row) | {"received_at": datetime.fromisoformat(row["received_at"])})
