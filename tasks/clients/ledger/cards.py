"""The outbox: what people are told of each question, over which channel, and how far that has come."""

from datetime import datetime

from sqlalchemy import Engine, RowMapping, and_, insert, or_, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import approvals, cards, incidents
from tasks.domain.approval import ApprovalRequest
from tasks.domain.base import Noun, UtcTime
from tasks.domain.incident import IncidentStatus


class StoredCard(Noun):
    """One question's card. It is written before something is sent and after, so that none is lost with a process."""

    request_id: str
    incident_id: str
    channel: str = ""
    """Where it stands, or is being sent; empty while nothing was tried."""
    reference: str | None = None
    """JSON, of the channel that sent it; `None` while it was not sent, or nobody knows whether it was."""
    shown: str = ""
    """The digest of the card as it was last shown."""
    state: str = ""
    """The state that it was last shown in."""
    said: int = 0
    """How many lines of its progress were told."""
    attempts: int = 0
    """How often the newest thing to do has failed over this channel."""
    next_at: UtcTime
    """When it is looked at again."""
    done: bool = False
    problem: str = ""
    """Why the last attempt failed."""


class Cards:
    """One row for each question that people are told of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def want(self, request_id: str, incident_id: str, *, at: datetime) -> bool:
        """Ask for the card of a question; false when it was asked for before, and is then looked at now."""
        with transaction(self._engine) as connection:
            of_it = cards.c.request_id == request_id
            if connection.execute(select(cards.c.request_id).where(of_it)).first() is not None:
                # One that is being sent right now has its next look in the future, and keeps it.
                sent = and_(of_it, cards.c.reference.is_not(None), cards.c.attempts == 0, cards.c.done.is_(False))
                connection.execute(update(cards).where(sent).values(next_at=at.isoformat()))
                return False
            new = StoredCard(request_id=request_id, incident_id=incident_id, next_at=at)
            connection.execute(insert(cards).values(**_values(new)))
        return True

    def untold(self) -> tuple[ApprovalRequest, ...]:
        """The questions that wait and whose card nobody asked for."""
        known = select(cards.c.request_id)
        query = select(approvals.c.request).where(approvals.c.answer.is_(None), approvals.c.request_id.not_in(known))
        with reading(self._engine) as connection:
            return tuple(ApprovalRequest.model_validate_json(text) for text in connection.execute(query).scalars())

    def due(self, now: datetime, *, limit: int) -> tuple[StoredCard, ...]:
        """What has to be looked at now, the longest waiting first; a healed incident that was undone is again."""
        undone = and_(incidents.c.status == IncidentStatus.UNDONE, cards.c.state == IncidentStatus.HEALED)
        query = (
            select(cards)
            .join(incidents, incidents.c.id == cards.c.incident_id)
            .where(cards.c.next_at <= now.isoformat(), or_(cards.c.done.is_(False), undone))
            .order_by(cards.c.next_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def claim(self, card: StoredCard, *, until: datetime) -> bool:
        """Take a card until then, as far as it is still as it was read; of several processes one gets it."""
        same = and_(cards.c.request_id == card.request_id, cards.c.next_at == card.next_at.isoformat())
        with transaction(self._engine) as connection:
            return connection.execute(update(cards).where(same).values(next_at=until.isoformat())).rowcount == 1

    def save(self, card: StoredCard) -> None:
        """Write how far a card has come."""
        with transaction(self._engine) as connection:
            connection.execute(update(cards).where(cards.c.request_id == card.request_id).values(**_values(card)))

    def get(self, request_id: str) -> StoredCard | None:
        """The card of a question, `None` when nobody asked for it."""
        with reading(self._engine) as connection:
            row = connection.execute(select(cards).where(cards.c.request_id == request_id)).mappings().first()
        return _stored(row) if row is not None else None


def _values(card: StoredCard) -> dict[str, object]:
    return card.model_dump() | {"next_at": card.next_at.isoformat()}


def _stored(row: RowMapping) -> StoredCard:
    return StoredCard.model_validate(dict(row) | {"next_at": datetime.fromisoformat(row["next_at"])})
