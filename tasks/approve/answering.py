"""The one way in for answers: judged, recorded and audited in one transaction, whichever door they came through."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tasks.approve.judging import judge
from tasks.clients.ledger import EntryKind, Ledger, StoredApproval
from tasks.domain.approval import (
    Answer,
    Approval,
    ApprovalChannel,
    ApprovalRequest,
    Attempt,
    Identity,
    Judgement,
    Person,
    Refusal,
)
from tasks.domain.incident import IncidentStatus
from tasks.errors import ConflictError, NotFoundError


def put_question(ledger: Ledger, wanted: ApprovalRequest, *, kept: str | None = None) -> ApprovalRequest:
    """Write a question into the ledger and mark its incident as waiting; asked before, it is the stored one.

    `kept` is what a heal that begins again goes on with, `None` where nothing can go on.
    """
    request = ledger.approvals.ask(wanted)
    if kept is not None:
        ledger.heals.keep(request.incident_id, kept)
    ledger.incidents.write(request.incident_id, EntryKind.ASKED, request, at=wanted.asked_at)
    ledger.incidents.set_status(request.incident_id, IncidentStatus.WAITING)  # last: who sees it finds the question
    return request


def answer_question(ledger: Ledger, attempt: Attempt, *, people: Sequence[Person]) -> Judgement:
    """Judge one answer and record what became of it, a refusal included; of answers at once, one is judged first.

    A question that another plan of its incident took the place of, as where the run that asked it was lost, takes none.
    """
    asked = ledger.approvals.get(attempt.request_id)
    if asked is not None and asked.answer is None and (newer := ledger.approvals.asked_after(asked.request)):
        message = f"{newer.incident_id} has moved on: it asks about another plan by now, as {newer.id}"
        return refuse_answer(ledger, attempt, Refusal.MOVED_ON, message)

    def verdict(stored: StoredApproval, status: IncidentStatus) -> Judgement:
        return judge(attempt, stored.request, settled=stored.answer, votes=stored.votes, status=status, people=people)

    try:
        return ledger.approvals.decide(attempt, verdict)
    except NotFoundError as error:
        return Judgement(refusal=Refusal.UNKNOWN, message=str(error))


def refuse_answer(ledger: Ledger, attempt: Attempt, refusal: Refusal, message: str) -> Judgement:
    """Refuse an answer that a channel does not even let be judged; it stands in the audit trail like any refusal."""
    stored = ledger.approvals.get(attempt.request_id)
    told = attempt.model_dump(mode="json", exclude={"nonce"})
    ledger.audit.write(
        "answer.refused",
        incident_id=stored.request.incident_id if stored else "",
        actor=attempt.identity.person,
        document=told | {"message": message, "refusal": refusal, "settles": False},
        at=attempt.at,
    )
    return Judgement(refusal=refusal, message=message)


def answer_newest(
    ledger: Ledger,
    incident_id: str,
    *,
    answer: Answer,
    identity: Identity,
    channel: ApprovalChannel,
    people: Sequence[Person],
    now: datetime,
    reason: str = "",
) -> Judgement:
    """Answer the newest question of an incident, as somebody who reads the ledger itself may.

    Raises:
        NotFoundError: there is no such incident.
        ConflictError: it waits for no answer.
    """
    incident = ledger.incidents.get(incident_id).incident
    questions = ledger.approvals.of_incident(incident.id)
    if not questions:
        raise ConflictError(f"{incident.id} waits for no answer: it is {incident.status}")
    newest = questions[-1].request
    attempt = attempt_at(newest, answer=answer, identity=identity, channel=channel, reason=reason, now=now)
    return answer_question(ledger, attempt, people=people)


def find_question(ledger: Ledger, name: str) -> ApprovalRequest:
    """The question with exactly that id, or the one that waits about the incident with exactly that id; where none
    waits any more, the last that did, so that whoever answers it is told what became of it.

    Raises:
        NotFoundError: nothing is called exactly so; a beginning is not enough to answer by.
        ConflictError: the incident was never asked about, or several of its questions wait.
    """
    stored = ledger.approvals.get(name)
    if stored is not None:
        return stored.request
    incident = ledger.incidents.get(name).incident
    if incident.id != name:
        raise NotFoundError(f"no incident and no question has exactly the id {name!r}; is {incident.id} meant?")
    asked = ledger.approvals.of_incident(incident.id)
    if not asked:
        raise ConflictError(f"{incident.id} waits for no answer: it is {incident.status}")
    waiting = [one.request for one in asked if one.answer is None]
    if len(waiting) > 1:
        names = ", ".join(one.id for one in waiting)
        raise ConflictError(f"several questions about {incident.id} wait, so name one of them: {names}")
    return waiting[0] if waiting else asked[-1].request


def attempt_at(
    request: ApprovalRequest,
    *,
    answer: Answer,
    identity: Identity,
    channel: ApprovalChannel,
    reason: str,
    now: datetime,
    edits: Mapping[str, str] | None = None,
    snooze_seconds: int = 0,
) -> Attempt:
    """An attempt at exactly the question that stands in the ledger."""
    return Attempt(
        request_id=request.id,
        plan_digest=request.plan_digest,
        nonce=request.nonce,
        answer=answer,
        identity=identity,
        channel=channel,
        reason=reason,
        edits=edits or {},
        snooze_seconds=snooze_seconds,
        at=now,
    )


def expire(ledger: Ledger, request: ApprovalRequest, *, now: datetime) -> bool:
    """Record that nobody answered in time, which is *no*; false when somebody had, or there is time left."""
    return now > request.deadline and give_up(ledger, request, now=now)


def give_up(ledger: Ledger, request: ApprovalRequest, *, now: datetime) -> bool:
    """Record that nobody is waited for any longer, as when whoever asked has ended; false when somebody answered."""
    return ledger.approvals.expire(_silence(request, reason="", now=now))


def withdrawal(ledger: Ledger, incident_id: str, *, reason: str, now: datetime) -> tuple[Approval, ...]:
    """The silence that takes back the open questions about an incident, for that reason, once it is written with the
    incident's end; then nobody can answer them any more."""
    open_questions = [one.request for one in ledger.approvals.of_incident(incident_id) if one.answer is None]
    return tuple(_silence(one, reason=reason, now=now) for one in open_questions)


def _silence(request: ApprovalRequest, *, reason: str, now: datetime) -> Approval:
    return Approval(
        request_id=request.id,
        plan_digest=request.plan_digest,
        answer=Answer.EXPIRED,
        answered_by="nobody",
        verified=False,
        channel=ApprovalChannel.DEADLINE,
        reason=reason,
        answered_at=now,
    )
