"""Judges an answer: pure, and the same for every channel, so that no door is wider than another."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

from tasks.domain.approval import (
    Answer,
    Approval,
    ApprovalRequest,
    Attempt,
    Identity,
    IdentityKind,
    Judgement,
    Person,
    Refusal,
)
from tasks.domain.incident import IncidentStatus

MAX_REASON_CHARACTERS = 1_000


def identify(kind: IdentityKind, name: str, people: Sequence[Person]) -> Identity:
    """Whose answer it is. A name that nobody of `people` has is a person of its own, marked with who vouches."""
    known = next((one for one in people if one.is_known_as(kind, name)), None)
    if known is not None:
        return Identity(kind=kind, name=name, person=known.name, listed=True)
    return Identity(kind=kind, name=name, person=f"{kind}:{name}")


def judge(
    attempt: Attempt,
    request: ApprovalRequest,
    *,
    settled: Approval | None,
    votes: Sequence[Approval],
    status: IncidentStatus,
    people: Sequence[Person],
) -> Judgement:
    """What becomes of one attempt, given all that is recorded of its question. A no needs no quorum."""
    found = _refusal(attempt, request, settled, status) or _refusal_of_person(attempt, request, votes, people)
    if found is not None:
        refusal, message = found
        return Judgement(refusal=refusal, message=message)
    if attempt.answer is Answer.SNOOZE:
        return _quiet(attempt, request)
    approval = Approval(
        request_id=request.id,
        plan_digest=request.plan_digest,
        answer=_joint(attempt.answer, votes),
        answered_by=attempt.identity.person if attempt.identity.listed else attempt.identity.name,
        verified=attempt.identity.verified,
        channel=attempt.channel,
        reason=attempt.reason.strip()[:MAX_REASON_CHARACTERS],
        answered_at=attempt.at,
        identity=attempt.identity,
        together_with=tuple(vote.answered_by for vote in votes) if attempt.answer.approves else (),
        edits=attempt.edits if attempt.answer is Answer.EDIT else {},
    )
    missing = request.terms.people_needed - len(votes) - 1
    if attempt.answer.approves and missing > 0:
        more = "one more person has" if missing == 1 else f"{missing} more people have"
        return Judgement(message=f"recorded; {more} to say yes", approval=approval)
    return Judgement(message=f"recorded: {attempt.answer}", approval=approval, settles=True)


def _quiet(attempt: Attempt, request: ApprovalRequest) -> Judgement:
    until = min(attempt.at + timedelta(seconds=attempt.snooze_seconds), request.deadline)
    message = (
        f"quiet until {until:%Y-%m-%d %H:%M} UTC; without an answer by {request.deadline:%Y-%m-%d %H:%M} UTC it is no"
    )
    return Judgement(message=message, snoozed_until=until)


def _joint(answer: Answer, votes: Sequence[Approval]) -> Answer:
    """Several say yes to what all of them said yes to: merging needs everybody's word."""
    if answer is Answer.APPROVE_AND_MERGE and any(vote.answer is not answer for vote in votes):
        return Answer.APPROVE
    return answer


def _refusal(
    attempt: Attempt, request: ApprovalRequest, settled: Approval | None, status: IncidentStatus
) -> tuple[Refusal, str] | None:
    if settled is not None:
        return Refusal.REPLAYED, (
            f"{request.incident_id} was already answered: {settled.answer} by {settled.answered_by} "
            f"at {settled.answered_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    same_question = hmac.compare_digest(attempt.nonce.encode(), request.nonce.encode())
    if not same_question or attempt.plan_digest != request.plan_digest:
        return Refusal.ALTERED, "the plan has changed since it was shown; look at it again before you answer"
    if status.ended or status is IncidentStatus.ACTING:
        return Refusal.MOVED_ON, f"{request.incident_id} has moved on: it is {status}, and waits for no answer"
    if attempt.answer is Answer.EXPIRED or attempt.at > request.deadline:
        return Refusal.EXPIRED, (
            f"the question expired at {request.deadline:%Y-%m-%d %H:%M:%S} UTC; silence was taken as no"
        )
    return None


def _refusal_of_person(
    attempt: Attempt, request: ApprovalRequest, votes: Sequence[Approval], people: Sequence[Person]
) -> tuple[Refusal, str] | None:
    who, terms = attempt.identity, request.terms
    if terms.approvers and who.person not in terms.approvers:
        return Refusal.NOT_ALLOWED, f"policy lets {', '.join(terms.approvers)} answer this, and not {who.name}"
    if not attempt.answer.approves and attempt.answer is not Answer.EDIT:
        return None  # anybody whom a channel lets in may stop a plan
    if not who.verified and not terms.typed_name_counts:
        return Refusal.UNVERIFIED, "nobody vouches for the typed name; answer in a terminal"
    if not terms.author_may_approve and _is_author(who, request.authors, people):
        return Refusal.AUTHOR, f"{who.name} wrote the failing change, and policy asks for somebody else"
    if any(vote.identity is not None and vote.identity.person == who.person for vote in votes):
        return Refusal.SAME_PERSON, f"{who.name} said yes before; {terms.people_needed} different people have to"
    return None


def _is_author(who: Identity, authors: Sequence[str], people: Sequence[Person]) -> bool:
    person = next((one for one in people if who.listed and one.name == who.person), None)
    if person is not None:
        return any(person.wrote(author) for author in authors)
    return who.name.casefold() in {author.casefold() for author in authors}
