"""What the doors share: the settings, the ledger, the secrets, and the one way in which an event is accepted."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from deployments.gateway.answers import Accepted
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.incident import HealNotice, Ignored, Signal
from tasks.intake import check_age
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
    link_key: bytes = b""
    """Signs the links of the approval page; without one, no link is good."""

    async def accept(
        self, parsed: Signal | HealNotice | Ignored, *, source: str, event_name: str, body: bytes, now: datetime
    ) -> Accepted:
        """Commit one delivery to the ledger; it is there when this returns.

        Raises:
            BadInputError: 422; it is stale.
            TransientError: the ledger does not answer.
        """
        ignored = parsed.reason if isinstance(parsed, Ignored) else None
        if not isinstance(parsed, Ignored):
            check_age(parsed.occurred_at, now=now, max_age_seconds=self.settings.event_max_age_seconds)
        event = StoredEvent(
            delivery_id=parsed.delivery_id,
            source=source,
            event_name=event_name,
            body=body if ignored is None else b"",
            received_at=now,
            status=EventStatus.PENDING if ignored is None else EventStatus.IGNORED,
            note=ignored or "",
        )
        new = await asyncio.to_thread(self.ledger.events.accept, event)
        return Accepted(accepted=parsed.delivery_id, duplicate=not new, ignored=ignored)
