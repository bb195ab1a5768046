"""What the approval page shows and does, without HTTP: the link is read, the form is checked, the answer is judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deployments.gateway.gateway import Gateway
from deployments.gateway.page_html import Reader, card_page
from deployments.notifying import read_card
from tasks.approve import (
    answer_question,
    check_edit,
    form_seal,
    identify_holder,
    is_form_seal,
    judge,
    read_link,
)
from tasks.clients.ledger import StoredApproval
from tasks.domain.approval import (
    SNOOZE_SECONDS,
    Answer,
    ApprovalChannel,
    ApprovalLink,
    Attempt,
    Identity,
    Judgement,
    Refusal,
)
from tasks.domain.card import Card
from tasks.domain.incident import IncidentStatus
from tasks.errors import BadInputError, NotFoundError

MAX_FORM_BYTES = 32_768
_STATUS = {
    Refusal.UNKNOWN: 404,
    Refusal.ALTERED: 409,
    Refusal.REPLAYED: 409,
    Refusal.MOVED_ON: 409,
    Refusal.EXPIRED: 410,
}
"""Everything else is 403: this person, or this form, may not."""
_ANSWERS = (Answer.APPROVE, Answer.APPROVE_AND_MERGE, Answer.REJECT, Answer.EDIT, Answer.SNOOZE)
_FORGERIES_AN_HOUR = 20
"""How many unsigned links are written into the audit trail; nobody may fill it from outside."""


@dataclass(frozen=True)
class Told:
    """A page, or what to say on one; with 303 the message is where to go."""

    status: int
    html: str = ""
    message: str = ""


def refused_form() -> Judgement:
    """For a form that was sent from elsewhere, or from another browser."""
    return Judgement(
        refusal=Refusal.FORGED,
        message="this form was not sent from the page that showed you the question; open the link and answer there",
    )


class Page:
    """The page over one ledger."""

    def __init__(self, gateway: Gateway) -> None:
        self._settings, self._ledger, self._key = gateway.settings, gateway.ledger, gateway.link_key
        self._forgeries: list[datetime] = []

    def show(self, token: str, cookie: str, *, now: datetime) -> Told:
        """The page of the question; nothing is written.

        Raises:
            BadInputError: the link is not good.
            NotFoundError: there is no such question any more.
        """
        link = read_link(token, self._key)
        card, stored = self._read(link, now)
        return Told(200, card_page(card, self._reader(link, stored, token, cookie, now), now=now))

    def answer(self, token: str, cookie: str, form: Mapping[str, str], *, now: datetime) -> Told:
        """Judge the answer of a form; every refusal stands in the audit trail."""
        if not is_form_seal(form.get("seal", ""), token, cookie, self._key):
            return self.refuse(token, refused_form(), now=now)
        try:
            link = read_link(token, self._key)
        except BadInputError:
            return self.refuse(token, refused_form(), now=now)
        card, stored = self._read(link, now)
        problem = _problem(card, form)
        if problem:
            reader = self._reader(link, stored, token, cookie, now)._replace(problem=problem, typed=tuple(form.items()))
            return Told(422, card_page(card, reader, now=now) if card.state.open else "", problem)
        attempt = self._attempt(link, stored, form, now)
        judgement = answer_question(self._ledger, attempt, people=self._settings.approvals.people)
        if judgement.refusal is not None:
            return Told(_STATUS.get(judgement.refusal, 403), message=judgement.message)
        return Told(303, message=f"/approve/{token}")

    def refuse(self, token: str, judgement: Judgement, *, now: datetime) -> Told:
        """Refuse a form before it is judged, and write that down; of unsigned links only so many an hour."""
        told = {"refusal": judgement.refusal, "message": judgement.message, "channel": ApprovalChannel.PAGE}
        try:
            link = read_link(token, self._key)
        except BadInputError as error:
            self._forgeries = [at for at in self._forgeries if now - at < timedelta(hours=1)]
            if len(self._forgeries) < _FORGERIES_AN_HOUR:
                self._forgeries.append(now)
                self._ledger.audit.write("answer.refused", incident_id="", actor="nobody", document=told, at=now)
            return Told(error.status_code, message=str(error))
        stored = self._ledger.approvals.get(link.request_id)
        incident_id = stored.request.incident_id if stored else ""
        told["request_id"] = link.request_id
        self._ledger.audit.write("answer.refused", incident_id=incident_id, actor=link.person, document=told, at=now)
        return Told(403, message=judgement.message)

    def _read(self, link: ApprovalLink, now: datetime) -> tuple[Card, StoredApproval]:
        stored = self._ledger.approvals.get(link.request_id)
        if stored is None:
            raise BadInputError("there is no such question any more", status_code=404)
        try:
            card = read_card(self._ledger, link.request_id, settings=self._settings, now=now)
        except NotFoundError as error:
            raise BadInputError(str(error), status_code=404) from error
        return card, stored

    def _reader(self, link: ApprovalLink, stored: StoredApproval, token: str, cookie: str, now: datetime) -> Reader:
        who = self._who(link)
        maker = "" if link.made_by == link.person else link.made_by
        return Reader(
            name=who.name,
            vouched_by=maker,
            seal=form_seal(token, cookie, self._key),
            may_approve=self._would_refuse(link, stored, now),
        )

    def _would_refuse(self, link: ApprovalLink, stored: StoredApproval, now: datetime) -> str:
        """Why a yes would not count, so that nobody is offered one in vain; the answer itself is judged again."""
        attempt = self._attempt(link, stored, {"answer": Answer.APPROVE}, now)
        people = self._settings.approvals.people
        would = judge(
            attempt, stored.request, settled=None, votes=stored.votes, status=IncidentStatus.WAITING, people=people
        )
        return would.message[:1].upper() + would.message[1:] if would.refusal is not None else ""

    def _who(self, link: ApprovalLink) -> Identity:
        return identify_holder(link, self._settings.approvals.people)

    def _attempt(self, link: ApprovalLink, stored: StoredApproval, form: Mapping[str, str], now: datetime) -> Attempt:
        answer = Answer(form["answer"])
        return Attempt(
            request_id=link.request_id,
            plan_digest=stored.request.plan_digest,
            nonce=link.nonce,
            answer=answer,
            identity=self._who(link),
            channel=ApprovalChannel.PAGE,
            reason=form.get("reason", ""),
            edits=_edits(form) if answer is Answer.EDIT else {},
            snooze_seconds=SNOOZE_SECONDS if answer is Answer.SNOOZE else 0,
            at=now.astimezone(UTC),
        )


def _edits(form: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("edit."): value.strip() for name, value in form.items() if name.startswith("edit.")}


def _problem(card: Card, form: Mapping[str, str]) -> str:
    """What is missing or malformed in a form, for the person who sent it; empty when nothing is."""
    if form.get("answer") not in _ANSWERS:
        return "choose one of the answers"
    if not card.state.open:
        return ""  # the judge says why it comes too late
    if form["answer"] == Answer.REJECT and not form.get("reason", "").strip():
        return "say why not: a no comes with a reason"
    if form["answer"] != Answer.EDIT:
        return ""
    known = card.editable
    try:
        for key, value in _edits(form).items():
            check_edit(known, key, value)
    except BadInputError as error:
        return str(error)
    changed = any(known[key] != value for key, value in _edits(form).items())
    return "" if changed else "change a value, or approve the plan as it is"
