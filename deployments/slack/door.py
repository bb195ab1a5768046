"""What comes in from Slack, whether over HTTP or Socket Mode: Slack is answered at once, the work is done after.

Who presses is whoever Slack says; what they say is judged where every answer is judged, and a refusal is told to them
alone and stands in the audit trail.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deployments.notifying import read_card
from deployments.slack.blocks import card_blocks, card_text
from deployments.slack.commands import FOREIGN, Asking, run_command
from deployments.slack.forms import EDIT_FORM, REASON, REJECT_FORM, edit_form, reject_form
from deployments.slack.pressing import Press, Ticket, read_ticket
from deployments.slack.text import escaped
from tasks.approve import answer_question, check_edit, identify, refuse_answer
from tasks.clients.ledger import Ledger
from tasks.clients.slack import Posted, SlackClient
from tasks.domain.approval import (
    SNOOZE_SECONDS,
    Answer,
    ApprovalChannel,
    Attempt,
    Identity,
    IdentityKind,
    Judgement,
    Refusal,
)
from tasks.domain.card import Card
from tasks.domain.chat import ChatCommand, ChatForm, ChatPerson, ChatPress
from tasks.errors import BadInputError, HealflowError
from tasks.settings import Settings

log = logging.getLogger("healflow.slack")
_ANSWERS = {
    Press.APPROVE: Answer.APPROVE,
    Press.APPROVE_AND_MERGE: Answer.APPROVE_AND_MERGE,
    Press.SNOOZE: Answer.SNOOZE,
}


Whisper = Callable[[str], None]
"""Says something to one person alone."""


def _nothing() -> None:
    """There is nothing left to do."""


@dataclass(frozen=True)
class Reply:
    """What Slack is told within its three seconds, and what is done after that."""

    body: Mapping[str, Any] = field(default_factory=dict)
    after: Callable[[], None] = _nothing


class SlackDoor:
    """Takes presses, forms and commands that are known to come from Slack."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        client: SlackClient,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._ledger, self._client, self._clock = settings, ledger, client, clock
        self._home = ""

    def take(self, given: ChatPress | ChatForm | ChatCommand) -> Reply:
        """Answer at once, without the ledger or Slack."""
        if isinstance(given, ChatCommand):
            return Reply(after=lambda: self._guarded(given.person, lambda: self._command(given)))
        if isinstance(given, ChatPress):
            return Reply(after=lambda: self._guarded(given.person, lambda: self._press(given)))
        return self._form(given)

    def _guarded(self, person: ChatPerson, work: Callable[[], None]) -> None:
        """Slack has its answer by now: what goes wrong here is for the log, and the ledger stays as it is."""
        try:
            work()
        except HealflowError as error:
            log.warning("What %s asked for in Slack was not finished: %s", person.id, error)

    def _press(self, press: ChatPress) -> None:
        known = next((one for one in Press if one == press.action), None)
        if known is None:
            return  # a link, or a button of somebody else's message
        ticket = read_ticket(press.value).model_copy(update={"channel": press.channel, "message": press.message})
        whisper = self._whispering(ticket, press.person, press.response_url)
        if known in _ANSWERS:
            self._answer(ticket, press.person, _ANSWERS[known], whisper)
            return
        try:
            if known is Press.REJECT:
                self._client.open_form(press.trigger, reject_form(ticket))
            else:
                self._open_edit(press, ticket, whisper)
        except HealflowError as error:
            whisper(f"The form could not be opened: {error}.")

    def _open_edit(self, press: ChatPress, ticket: Ticket, whisper: Whisper) -> None:
        card = self._card(ticket)
        if card.state.open and card.editable:
            self._client.open_form(press.trigger, edit_form(ticket, card))
        else:
            whisper(f"Nothing can be edited: the question is {card.state.replace('_', ' ')}.")

    def _form(self, form: ChatForm) -> Reply:
        ticket = read_ticket(form.metadata)
        if form.name == REJECT_FORM:
            reason = form.values.get(REASON, "").strip()
            if not reason:
                return Reply(body=_errors({REASON: "Say why, in a few words."}))
            return Reply(after=lambda: self._sent(form.person, ticket, Answer.REJECT, reason=reason))
        if form.name == EDIT_FORM:
            values = {key: value.strip() for key, value in form.values.items()}
            if wrong := _wrong_values(values):
                return Reply(body=_errors(wrong))
            return Reply(after=lambda: self._sent(form.person, ticket, Answer.EDIT, values=values))
        return Reply()

    def _sent(
        self,
        person: ChatPerson,
        ticket: Ticket,
        answer: Answer,
        *,
        reason: str = "",
        values: Mapping[str, str] | None = None,
    ) -> None:
        whisper = self._whispering(ticket, person)

        def work() -> None:
            try:
                edits = self._changed(ticket, values) if values is not None else {}
            except HealflowError as error:
                whisper(f"Nothing was done: {error}.")
                return
            self._answer(ticket, person, answer, whisper, reason=reason, edits=edits)

        self._guarded(person, work)

    def _changed(self, ticket: Ticket, values: Mapping[str, str]) -> Mapping[str, str]:
        """The values that differ from the plan's.

        Raises:
            BadInputError: none does, or one of them cannot be changed.
        """
        card = self._card(ticket)
        changed = {key: value for key, value in values.items() if card.editable.get(key, "") != value}
        for key, value in changed.items():
            check_edit(card.editable, key, value)
        if not changed:
            raise BadInputError("no value was changed")
        return changed

    def _answer(
        self,
        ticket: Ticket,
        person: ChatPerson,
        answer: Answer,
        whisper: Whisper,
        *,
        reason: str = "",
        edits: Mapping[str, str] | None = None,
    ) -> None:
        """Have it judged; tell whoever gave it what they could not see on the card, and show the card as it is now."""
        try:
            judgement = self._judge(answer, ticket, person, reason=reason, edits=edits)
        except HealflowError as error:
            whisper(f"Nothing was recorded: {error}. Try again.")
            return
        try:
            if judgement.refusal is None:
                self._renew(ticket)
        finally:
            if judgement.refusal is not None:
                whisper(f"Nothing was done: {judgement.message}.")
            elif not judgement.settles or not ticket.message:
                whisper(f"{judgement.message[:1].upper()}{judgement.message[1:]}.")

    def _judge(
        self, answer: Answer, ticket: Ticket, person: ChatPerson, *, reason: str, edits: Mapping[str, str] | None
    ) -> Judgement:
        attempt = Attempt(
            request_id=ticket.request_id,
            plan_digest=ticket.plan_digest,
            nonce=ticket.nonce,
            answer=answer,
            identity=self._identity(person),
            channel=ApprovalChannel.SLACK,
            reason=reason,
            edits=edits or {},
            snooze_seconds=SNOOZE_SECONDS if answer is Answer.SNOOZE else 0,
            at=self._clock(),
        )
        if self._is_foreign(person, attempt.identity):
            return refuse_answer(self._ledger, attempt, Refusal.NOT_ALLOWED, FOREIGN)
        return answer_question(self._ledger, attempt, people=self._settings.approvals.people)

    def _identity(self, person: ChatPerson) -> Identity:
        return identify(IdentityKind.SLACK, person.id, self._settings.approvals.people)

    def _is_foreign(self, person: ChatPerson, identity: Identity) -> bool:
        """Of another workspace than the app's, as in a channel that companies share, or of none that is said; and not
        among the people of the settings.

        Raises:
            TransientError: Slack does not say which workspace is the app's.
        """
        if identity.listed:
            return False
        self._home = self._home or self._client.who().team_id
        return person.teams != (self._home,)

    def _card(self, ticket: Ticket) -> Card:
        return read_card(self._ledger, ticket.request_id, settings=self._settings, now=self._clock())

    def _renew(self, ticket: Ticket) -> None:
        """Show the card as it is now; where that fails, the answer stands in the ledger all the same."""
        if not ticket.channel or not ticket.message:
            return
        card = self._card(ticket)
        message = Posted(channel=ticket.channel, timestamp=ticket.message)
        self._client.update(message, blocks=card_blocks(card), text=card_text(card))

    def _whispering(self, ticket: Ticket, person: ChatPerson, response_url: str = "") -> Whisper:
        def whisper(text: str) -> None:
            if response_url:
                self._client.respond(response_url, text=escaped(text))
            elif ticket.channel:
                self._client.whisper(ticket.channel, person.id, text=escaped(text))

        return whisper

    def _command(self, command: ChatCommand) -> None:
        identity = self._identity(command.person)
        asking = Asking(
            self._settings, self._ledger, identity, self._clock(), self._is_foreign(command.person, identity)
        )
        told = run_command(command.text, asking)
        self._client.respond(command.response_url, text=told.text, blocks=told.blocks)


def _wrong_values(values: Mapping[str, str]) -> dict[str, str]:
    """What cannot be a value at all, by field; whether it may be changed is looked up after."""
    wrong = {}
    for key, value in values.items():
        try:
            check_edit({key: value}, key, value)
        except BadInputError as error:
            wrong[key] = str(error)
    return wrong


def _errors(wrong: Mapping[str, str]) -> Mapping[str, Any]:
    return {"response_action": "errors", "errors": dict(wrong)}
