"""Approval: the question put to people, who may answer it and how, and the one answer that counts."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from tasks.domain.base import Noun, UtcTime


class Answer(StrEnum):
    """What a person, or the deadline, said."""

    APPROVE = "approve"
    APPROVE_AND_MERGE = "approve_and_merge"
    REJECT = "reject"
    EDIT = "edit"
    """Plan it anew with other parameters: a new digest, which passes the gate and is asked about again."""
    SNOOZE = "snooze"
    """Remind nobody for a while: it answers nothing, and the deadline stays."""
    EXPIRED = "expired"

    @property
    def approves(self) -> bool:
        """Whether the plan may be carried out."""
        return self in (Answer.APPROVE, Answer.APPROVE_AND_MERGE)


class ApprovalChannel(StrEnum):
    """The door through which an answer came."""

    COMMAND_LINE = "command_line"
    PAGE = "page"
    PREFECT_UI = "prefect_ui"
    SLACK = "slack"
    GITHUB = "github"
    DEADLINE = "deadline"


class IdentityKind(StrEnum):
    """Who vouches for a name; `TYPED` is nobody."""

    LOCAL = "local"
    SLACK = "slack"
    GITHUB = "github"
    LINK = "link"
    """Whoever holds a signed link that was made for one person; who made it vouches for that."""
    TYPED = "typed"


class Person(Noun):
    """Somebody who may answer, with the names that other systems know them by; one person is one vote."""

    name: str = Field(min_length=1, max_length=100)
    slack: str = ""
    """The Slack user id, such as `U012AB3CD`."""
    github: str = ""
    local: str = ""
    """The login name on the machine that Healflow runs on."""
    email: str = Field(default="", pattern=r"^$|^[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+$")
    """Where cards and links are sent by mail; whoever reads that mailbox answers as this person."""
    authors: tuple[str, ...] = ()
    """Names or addresses that stand in this person's commits."""

    def is_known_as(self, kind: IdentityKind, name: str) -> bool:
        """Whether that system knows this person by that name; only the machine tells letters by their case."""
        known = self.name_in(kind)
        if kind is IdentityKind.LOCAL or not name.isascii():
            return bool(name) and known == name
        return bool(name) and known.casefold() == name.casefold()

    def name_in(self, kind: IdentityKind) -> str:
        """The name by which that system knows this person, empty when none is set."""
        names = {IdentityKind.SLACK: self.slack, IdentityKind.GITHUB: self.github, IdentityKind.LOCAL: self.local}
        return names.get(kind, "")

    def wrote(self, author: str) -> bool:
        """Whether an author of a commit, by any name, is this person."""
        names = (self.name, self.github, self.local, *self.authors)
        return bool(author) and any(is_same_author(author, name) for name in names if name)


def shared_names(people: Sequence[Person]) -> tuple[str, ...]:
    """The names and accounts that two of the people have, such as `github ada-l`."""
    told = Counter(
        f"{what} {name}"
        for person in people
        for what, name in (
            ("name", _plainest(person.name)),
            ("slack", person.slack.casefold()),
            ("github", person.github.casefold()),
            ("local", person.local),
        )
        if name
    )
    return tuple(name for name, times in told.items() if times > 1)


def is_same_author(one: str, other: str) -> bool:
    """Whether two names of authors say the same, however their letters are put together, spaced or capitalised."""
    return _plainest(one) == _plainest(other)


def _plainest(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


class Identity(Noun):
    """Who answers: a name and who vouches for it; `person` is whose vote it is, the same through every channel."""

    kind: IdentityKind
    name: str
    person: str
    listed: bool = False
    """Whether `person` stands among the people of the settings."""
    vouched_by: str = ""
    """For `LINK`: the vote of whoever made the link, or the mail address that it was sent to."""

    @property
    def verified(self) -> bool:
        """Whether anybody but the person vouches for the name."""
        return self.kind is not IdentityKind.TYPED


class ApprovalTerms(Noun):
    """Who may say yes, and how many have to: policy's word for one plan."""

    approvers: tuple[str, ...] = ()
    """Names of people; empty is everybody whom a channel lets in."""
    people_needed: int = Field(default=1, ge=1, le=5)
    author_may_approve: bool = True
    """Whether an author of the failing change may approve the fix."""
    typed_name_counts: bool = True
    """Whether a name that was only typed, as into the Prefect form, may approve."""
    link_counts: bool = True
    """Whether the holder of a signed link may approve, whom only the maker of the link vouches for."""

    @property
    def takes_typed_names(self) -> bool:
        """Where several people are needed a typed name is none: one person types as many as they like."""
        return self.typed_name_counts and self.people_needed == 1


LEAST_LASTING = timedelta(hours=1)


class ApprovalRequest(Noun):
    """A question that waits: one plan, by digest, until a deadline, answered once."""

    id: str
    incident_id: str
    plan_digest: str
    question: str
    asked_at: UtcTime
    deadline: UtcTime
    flow_run_id: str | None = None
    nonce: str = ""
    """Random and made once per question: a card, a link or a form for another question does not fit this one."""
    terms: ApprovalTerms = ApprovalTerms()
    authors: tuple[str, ...] = ()
    """Who wrote or pushed the failing change, by the names that its commits and its event give."""

    def lasts(self, answered_at: datetime, now: datetime) -> bool:
        """Whether a yes may still be acted on: for as long as the question was put, an hour at least.

        After an outage of days nobody means it any more.
        """
        return now - answered_at <= max(self.deadline - self.asked_at, LEAST_LASTING)


class Approval(Noun):
    """An answer. `verified` tells whether `answered_by` was established or only typed."""

    request_id: str
    plan_digest: str
    answer: Answer
    answered_by: str
    verified: bool
    channel: ApprovalChannel
    reason: str = ""
    answered_at: UtcTime
    identity: Identity | None = None
    """`None` for the deadline."""
    together_with: tuple[str, ...] = ()
    """The people who said yes before, where more than one is needed."""
    edits: Mapping[str, str] = Field(default_factory=dict)
    """New values of parameters, `ACTION_NUMBER.PARAMETER`, for `Answer.EDIT`."""

    @property
    def told_by(self) -> str:
        """Who answered, and who vouches for that where it is somebody else."""
        voucher = self.identity.vouched_by if self.identity is not None else ""
        own = self.identity is not None and voucher == self.identity.person
        return f"{self.answered_by}, by a link {came_from(voucher)}" if voucher and not own else self.answered_by


def came_from(voucher: str) -> str:
    """How a link came to whoever holds it, given who vouches for it; in words that follow `a link`."""
    address = voucher.removeprefix("email:")
    return f"mailed to {address}" if address != voucher else f"from {voucher}"


class ApprovalLink(Noun):
    """What a signed link says: one question, shown to one person. It is good for as long as the question is open."""

    request_id: str
    nonce: str = Field(repr=False)
    """The question's own: a link fits no other question, and no answer after the first."""
    person: str
    """Whose vote it is, as `Identity.person`."""
    made_by: str
    """Who vouches for that: the vote of whoever made the link, or `email:ADDRESS` when it was sent there."""


MAX_REASON_CHARACTERS = 1_000
_UNREADABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories: control, invisible (with what reverses text), surrogate, private, unassigned."""


def readable(text: str, *, limit: int) -> str:
    """What somebody typed, as it can be stored and shown anywhere: line breaks stay, what cannot be seen goes."""
    seen = "".join(char for char in text[: 4 * limit] if char == "\n" or unicodedata.category(char) not in _UNREADABLE)
    return seen.strip()[:limit]


def _reason(told: object) -> object:
    return readable(told, limit=MAX_REASON_CHARACTERS) if isinstance(told, str) else told


SNOOZE_SECONDS = 3600
"""For so long a question that somebody put off reminds nobody, through whatever channel."""


class Attempt(Noun):
    """Somebody tries to answer; nothing of it counts before it is judged."""

    request_id: str
    plan_digest: str
    nonce: str
    answer: Answer
    identity: Identity
    channel: ApprovalChannel
    reason: Annotated[str, BeforeValidator(_reason)] = ""
    edits: Mapping[str, str] = Field(default_factory=dict)
    snooze_seconds: int = Field(default=0, ge=0, le=7 * 24 * 3600)
    """How long to be quiet, for `Answer.SNOOZE`."""
    at: UtcTime


class Refusal(StrEnum):
    """Why an answer does not count."""

    UNKNOWN = "unknown"
    ALTERED = "altered"
    REPLAYED = "replayed"
    EXPIRED = "expired"
    MOVED_ON = "moved_on"
    NOT_ALLOWED = "not_allowed"
    UNVERIFIED = "unverified"
    AUTHOR = "author"
    SAME_PERSON = "same_person"
    FORGED = "forged"
    """A link that nobody here signed, or a form that did not come from its page."""


class Judgement(Noun):
    """What became of an attempt: refused, counted as one yes of several, or the answer that settles the question."""

    refusal: Refusal | None = None
    message: str
    """For the person who answered."""
    approval: Approval | None = None
    """What is recorded, `None` when it is refused."""
    settles: bool = False
    """Whether the question has its answer now."""
    snoozed_until: UtcTime | None = None
    """Until when nobody is reminded, for `Answer.SNOOZE`; never after the deadline."""
