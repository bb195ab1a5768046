"""Judges an answer: pure, and the same for every channel, so that no door is wider than another."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

from tasks.domain.approval import (
    Answer,
    Approval,
    ApprovalLink,
    ApprovalRequest,
    Attempt,
    Identity,
    IdentityKind,
    Judgement,
    Person,
    Refusal,
    is_same_author,
    readable,
)
from tasks.domain.incident import IncidentStatus

MAX_NAME_CHARACTERS = 100


def identify(kind: IdentityKind, name: str, people: Sequence[Person]) -> Identity:
    """Whose answer it is. A name that nobody of `people` has is a person of its own, marked with who vouches."""
    name = " ".join(readable(name, limit=MAX_NAME_CHARACTERS).split())
    known = next((one for one in people if one.is_known_as(kind, name)), None)
    if known is not None:
        return Identity(kind=kind, name=name, person=known.name, listed=True)
    return Identity(kind=kind, name=name, person=f"{kind}:{name}")


def identify_holder(link: ApprovalLink, people: Sequence[Person]) -> Identity:
    """Whose answer it is when it comes through a link: the person that it was made for."""
    listed = any(one.name == link.person for one in people)
    name = link.person if listed else link.person.partition(":")[2] or link.person
    return Identity(kind=IdentityKind.LINK, name=name, person=link.person, listed=listed, vouched_by=link.made_by)


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
        reason=attempt.reason,
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
            f"{request.incident_id} was already answered: {settled.answer} by {settled.told_by} "
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
    if who.kind is IdentityKind.LINK and not who.listed and who.person != who.vouched_by:
        return Refusal.NOT_ALLOWED, f"{who.name} stands no longer among the people of HEALFLOW_APPROVALS__PEOPLE"
    if not attempt.answer.approves and attempt.answer is not Answer.EDIT:
        return None  # anybody whom a channel lets in may stop a plan
    if (unverified := _unverified(who, request)) is not None:
        return unverified
    if not terms.author_may_approve and (author := _refusal_of_author(who, request.authors, people)):
        return Refusal.AUTHOR, author
    return _refusal_of_second(who, request, votes, people)


def _unverified(who: Identity, request: ApprovalRequest) -> tuple[Refusal, str] | None:
    """Whether policy asks for more than what this channel knows of the person."""
    if not who.verified and not request.terms.takes_typed_names:
        return Refusal.UNVERIFIED, "nobody vouches for the typed name; answer in a terminal"
    if who.kind is IdentityKind.LINK and not request.terms.link_counts:
        return Refusal.UNVERIFIED, "policy takes no yes through a link here; answer in Slack or in a terminal"
    return None


def _refusal_of_second(
    who: Identity, request: ApprovalRequest, votes: Sequence[Approval], people: Sequence[Person]
) -> tuple[Refusal, str] | None:
    """One person is one vote, and so is whoever vouches for two, or who may be one person with two accounts."""
    said = [vote.identity for vote in votes if vote.identity is not None]
    if any(vote.person == who.person for vote in said):
        many = request.terms.people_needed
        return Refusal.SAME_PERSON, f"{who.name} said yes before; {many} different people have to"
    vouchers = {name for vote in said for name in (vote.person, vote.vouched_by) if name}
    shared = vouchers & {who.person, who.vouched_by}
    if shared:
        return Refusal.SAME_PERSON, (
            f"{min(shared)} stands behind both answers; the second person has to answer in Slack, in a terminal, or by "
            "a link from somebody else"
        )
    maybe = next((vote for vote in said if not _are_apart(who, vote, people)), None)
    if maybe is not None:
        return Refusal.SAME_PERSON, (f"nobody knows whether {who.name} and {maybe.name} are two people: {_TELL_APART}")
    return None


_TELL_APART = "HEALFLOW_APPROVALS__PEOPLE has to say who is who"


def _are_apart(one: Identity, other: Identity, people: Sequence[Person]) -> bool:
    """Whether two votes are known to be two people's: both stand in the settings, or one system has two accounts."""
    if one.listed and other.listed:
        return True
    if one.listed:
        one, other = other, one
    system = _system_of(one)
    if not other.listed:
        return system == _system_of(other)
    known = next((person for person in people if person.name == other.person), None)
    return known is not None and any(known.name_in(kind) for kind in IdentityKind if kind == system)


def _system_of(unlisted: Identity) -> str:
    """Who knows somebody that the settings do not: the holder of a link is whom its maker was known as."""
    return unlisted.person.partition(":")[0]


def _refusal_of_author(who: Identity, authors: Sequence[str], people: Sequence[Person]) -> str:
    """Why this may be an author's yes; empty when it is not. Accounts do not tell the names that stand in commits, so
    that of somebody whom the settings do not know nobody knows whether they are one."""
    if author := _author_among(who, authors, people):
        return f"{author} wrote the failing change, and policy asks for somebody else"
    if authors and not who.listed:
        return f"nobody knows whether {who.name} is an author of the failing change: {_TELL_APART}"
    return ""


def _author_among(who: Identity, authors: Sequence[str], people: Sequence[Person]) -> str:
    """The author of the change behind an answer: who gives it, or who vouches for it; empty when neither is."""
    if _is_author(who.person, who.name, authors, people):
        return who.name
    voucher = who.vouched_by
    return voucher if voucher and _is_author(voucher, voucher.partition(":")[2], authors, people) else ""


def _is_author(person: str, name: str, authors: Sequence[str], people: Sequence[Person]) -> bool:
    known = next((one for one in people if one.name == person), None)
    if known is not None:
        return any(known.wrote(author) for author in authors)
    return any(is_same_author(name, author) for author in authors)
