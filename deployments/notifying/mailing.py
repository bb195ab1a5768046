"""Mail as a channel for cards: to each person with an address a link of their own, to lists a card without one.

A mail cannot be renewed in place: what became of the question is a mail below the first one. Each has the same id
whenever it is sent again, so that a mailbox shows it once.
"""

import hashlib

from deployments.notifying.channel import Reference
from deployments.notifying.plain import card_text, decision_text
from tasks.approve import WORDINGS, sign_link
from tasks.clients.mail import Letter, MailClient
from tasks.domain.approval import ApprovalLink
from tasks.domain.card import Card
from tasks.errors import PermanentError
from tasks.settings import Settings

NAME = "email"


class MailChannel:
    """Implements `Channel`."""

    name = NAME

    def __init__(self, settings: Settings, *, link_key: bytes, gateway_url: str) -> None:
        self._settings, self._key, self._gateway = settings, link_key, gateway_url
        self._client = MailClient(settings.mail)

    def send(self, card: Card) -> Reference:
        """One mail to each of the people who may answer, and to each list.

        Raises:
            PermanentError: there is nobody to write to.
        """
        letters = [self._letter(card, to, link) for to, link in self._addressees(card)]
        if not letters:
            raise PermanentError(
                "there is nobody to write to: give people an 'email' in HEALFLOW_APPROVALS__PEOPLE, or set "
                "HEALFLOW_MAIL__RECIPIENTS"
            )
        self._client.send(letters)
        return Reference(channel=NAME, place=self._domain, message=card.request_id)

    def update(self, reference: Reference, card: Card) -> None:  # noqa: ARG002 -- the ids follow from the card
        """Tell what became of the question; while it is open, only another yes is worth a mail."""
        if card.state.open and not card.said_yes:
            return
        told = f"{card.state}{len(card.said_yes)}"
        letters = [
            Letter(
                to=to,
                subject=f"Re: {_subject(card)}: {WORDINGS[card.state].heading}",
                text=f"{decision_text(card)}\n",
                message_id=self._id(card, to, told),
                answers=self._id(card, to),
            )
            for to, _ in self._addressees(card)
        ]
        if letters:
            self._client.send(letters)

    def say(self, reference: Reference, text: str) -> None:
        """Nothing: a mail for each step would be noise, and `update` tells the end."""

    def _addressees(self, card: Card) -> list[tuple[str, str]]:
        """Each address once, with the link of whoever reads it; lists have none."""
        people = [
            (person.email, self._link(card, person.name, person.email))
            for person in self._settings.approvals.people
            if person.email and (not card.terms.approvers or person.name in card.terms.approvers)
        ]
        known = {address.casefold() for address, _ in people}
        return people + [(to, "") for to in self._settings.mail.recipients if to.casefold() not in known]

    def _link(self, card: Card, person: str, address: str) -> str:
        link = ApprovalLink(
            request_id=card.request_id, nonce=card.nonce, person=person, made_by=f"email:{address.casefold()}"
        )
        return f"{self._gateway}/approve/{sign_link(link, self._key)}"

    def _letter(self, card: Card, to: str, link: str) -> Letter:
        how = (
            f"Answer here; the link is yours alone, so pass this mail on to nobody:\n{link}"
            if link
            else f"Answer in a terminal: healflow approve {card.incident_id}, or reject with --why."
        )
        return Letter(
            to=to,
            subject=_subject(card),
            text=f"{how}\n\n{card_text(card)}\n",
            message_id=self._id(card, to),
        )

    def _id(self, card: Card, to: str, told: str = "") -> str:
        digest = hashlib.sha256(f"{card.request_id}\0{to.casefold()}\0{told}".encode()).hexdigest()
        return f"{digest[:40]}@{self._domain}"

    @property
    def _domain(self) -> str:
        return self._settings.mail.sender.rpartition("@")[2]


def _subject(card: Card) -> str:
    return f"[Healflow] {card.incident_id}: {card.title}"
