"""What the doors share: the settings, the ledger, the secrets, and the one way in which an event is accepted."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from deployments.gateway.answers import Accepted
from deployments.gateway.measuring import Measures
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.comment import CommentCommand
from tasks.domain.incident import Delivery, HealNotice, Ignored, Resolved, Signal
from tasks.intake import as_delivery, check_age
from tasks.settings import Settings


@dataclass(frozen=True)
class Gateway:
    """Handed to each router when it is made."""

    settings: Settings
    ledger: Ledger
    webhook_secrets: tuple[str, ...]
    """Sign events; two while one is rotated."""
    event_tokens: tuple[str, ...]
    """Bearer tokens of senders that cannot sign; two while one is rotated."""
    event_secrets: tuple[str, ...] = ()
    """Sign events in our own format; two while one is rotated."""
    measures: Measures = field(default_factory=Measures)
    link_key: bytes = b""
    """Signs the links of the approval page; without one, no link is good."""

    async def accept(self, told: Delivery, *, source: str, event_name: str, body: bytes, now: datetime) -> Accepted:
        """Commit one delivery to the ledger; it is there when this returns.

        Raises:
            TransientError: the ledger does not answer.
        """
        event = StoredEvent(
            delivery_id=told.delivery_id,
            source=source,
            event_name=event_name,
            body=b"" if told.tells_nothing else body,
            received_at=now,
            status=EventStatus.IGNORED if told.tells_nothing else EventStatus.PENDING,
            note=told.remark,
        )
        new = await asyncio.wrap_future(self.ledger.event_writer.submit(event))
        outcome = "ignored" if told.tells_nothing else "new" if new else "known"
        self.measures.accepted.labels(source, outcome).inc()
        return Accepted(accepted=told.delivery_id, duplicate=not new, ignored=told.remark or None)

    async def accept_one(
        self,
        parsed: Signal | Resolved | HealNotice | CommentCommand | Ignored,
        *,
        source: str,
        event_name: str,
        body: bytes,
        now: datetime,
    ) -> Accepted:
        """The same for an event that tells of one thing, and says when it happened.

        Raises:
            BadInputError: 422; it is stale.
            TransientError: the ledger does not answer.
        """
        if not isinstance(parsed, Ignored):
            at = parsed.resolved_at if isinstance(parsed, Resolved) else parsed.occurred_at
            check_age(at, now=now, max_age_seconds=self.settings.event_max_age_seconds)
        return await self.accept(as_delivery(parsed), source=source, event_name=event_name, body=body, now=now)
