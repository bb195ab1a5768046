"""Channel: what every way of reaching people can do. Slack is one, the signed link of the approval page another."""

from typing import Protocol

from tasks.domain.base import Noun
from tasks.domain.card import Card


class Reference(Noun):
    """Where a card was sent, so that it can be found again; what it holds is the channel's own business."""

    channel: str
    """The name of the channel, such as `slack`."""
    place: str
    """Such as the id of a conversation."""
    message: str
    """Such as the timestamp that Slack knows a message by."""


class Channel(Protocol):
    """Carries cards to people.

    Every method raises TransientError where the same call may work later (with `retry_after_seconds` where the other
    side asked for that), and PermanentError where a person has to change something first, such as a token.
    """

    name: str

    def send(self, card: Card) -> Reference:
        """Show a new card. A call that failed may have shown it all the same."""
        ...

    def update(self, reference: Reference, card: Card) -> None:
        """Show the card as it is now in the place of the old one; the same card again changes nothing."""
        ...

    def say(self, reference: Reference, text: str) -> None:
        """Add a line to the conversation below the card; `text` is plain, whatever it holds is shown as it is."""
        ...
