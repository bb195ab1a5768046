"""The gateway's own log as a channel: always there, so that a question is told of somewhere."""

import logging

from deployments.notifying.channel import Reference
from deployments.notifying.plain import decision_text
from tasks.domain.card import Card

NAME = "log"

log = logging.getLogger("healflow.approvals")


class LogChannel:
    """Implements `Channel`."""

    name = NAME

    def send(self, card: Card) -> Reference:
        """One line that says how to look at it and answer."""
        log.warning(
            "%s asks until %s UTC: %s? See 'healflow show %s'; answer with 'healflow approve' or 'healflow reject'.",
            card.incident_id,
            f"{card.deadline:%Y-%m-%d %H:%M}",
            _line(card.title),
            card.incident_id,
        )
        return Reference(channel=NAME, place="", message=card.request_id)

    def update(self, reference: Reference, card: Card) -> None:  # noqa: ARG002 -- as every channel
        """One line of what became of it."""
        log.info("%s", _line(decision_text(card)))

    def say(self, reference: Reference, text: str) -> None:
        """One line, below the card's id."""
        log.info("%s: %s", reference.message, _line(text))


def _line(text: str) -> str:
    """Outside text in one line of a log: no line of it can look like another."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:500]
