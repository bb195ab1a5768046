"""Reads a card out of the ledger, as it is at this moment."""

from datetime import datetime

from tasks.approve import make_card
from tasks.clients.ledger import Ledger
from tasks.domain.card import Card
from tasks.errors import NotFoundError
from tasks.remember import read_story
from tasks.settings import Settings


def read_card(ledger: Ledger, request_id: str, *, settings: Settings, now: datetime) -> Card:
    """The card of one question.

    Raises:
        NotFoundError: there is no such question.
        ConflictError: its incident has no plan.
    """
    stored = ledger.approvals.get(request_id)
    if stored is None:
        raise NotFoundError(f"there is no approval request {request_id[:80]!r}")
    story = read_story(ledger, stored.request.incident_id, around=request_id)
    return make_card(
        story,
        stored,
        now=now,
        prefect_url=settings.prefect_pages_url,
        web_url=settings.github.web_url,
    )
