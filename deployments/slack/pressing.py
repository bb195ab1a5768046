"""What a button and a form carry along, unseen: which question, which plan, its nonce, and where the card stands."""

from enum import StrEnum

from pydantic import ValidationError

from tasks.domain.base import Noun
from tasks.domain.card import Card


class Press(StrEnum):
    """The buttons of a card; the values are what Slack sends back."""

    APPROVE = "healflow.approve"
    APPROVE_AND_MERGE = "healflow.approve_and_merge"
    REJECT = "healflow.reject"
    EDIT = "healflow.edit"
    SNOOZE = "healflow.snooze"


class Ticket(Noun):
    """Binds a press to one question about one plan; whoever alters it answers nothing."""

    request_id: str
    plan_digest: str
    nonce: str
    channel: str = ""
    message: str = ""
    """Where the card stands, for a form, which Slack sends without it."""

    def told(self) -> str:
        """As a button carries it: at most 2,000 characters, of which Slack lets no person see any."""
        return self.model_dump_json(exclude_defaults=True)


def ticket_of(card: Card) -> Ticket:
    """The ticket of a card's buttons."""
    return Ticket(request_id=card.request_id, plan_digest=card.plan_digest, nonce=card.nonce)


def read_ticket(value: str) -> Ticket:
    """The ticket that was sent back; what cannot be read is a ticket for no question, which is refused by name."""
    try:
        return Ticket.model_validate_json(value)
    except ValidationError:
        return Ticket(request_id="unreadable", plan_digest="", nonce="")
