"""Card: everything a person needs to decide about one plan, whatever channel shows it, and what became of it since."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from tasks.domain.approval import ApprovalTerms
from tasks.domain.base import Noun, UtcTime
from tasks.domain.evidence import EvidenceLine
from tasks.domain.plan import Risk
from tasks.domain.story import TimelineEntry


class CardState(StrEnum):
    """Where the question stands; only the first two take an answer."""

    WAITING = "waiting"
    SNOOZED = "snoozed"
    """Waits without reminding anybody until `snoozed_until`; the deadline stays."""
    APPROVED = "approved"
    REJECTED = "rejected"
    EDITED = "edited"
    """Planned anew with other values; another card asks about that plan."""
    EXPIRED = "expired"
    VOID = "void"
    """Whatever was answered, nothing was done: the target, the plan or the run had moved on."""
    HEALED = "healed"
    NOT_HEALED = "not_healed"
    UNDONE = "undone"

    @property
    def open(self) -> bool:
        """Whether an answer still counts."""
        return self in (CardState.WAITING, CardState.SNOOZED)

    @property
    def ended(self) -> bool:
        """Whether the card changes no more by itself."""
        return not self.open and self is not CardState.APPROVED


class CardStep(Noun):
    """One action of the plan."""

    number: int = Field(ge=1)
    summary: str
    target: str
    risk: Risk
    undo: str
    preview: str = ""
    """The unified diff or dry run, whole; empty where an action has none."""
    editable: Mapping[str, str] = Field(default_factory=dict)
    """What may be changed, `ACTION_NUMBER.PARAMETER`, with its value now."""


class CardLink(Noun):
    """Where to look further: the run, the commit, the pull request."""

    label: str
    url: str = Field(pattern=r"^https?://[^\s<>|\"'`]+$")


class CardAnswer(Noun):
    """Who decided, when and through which channel."""

    by: str
    """`nobody` for the deadline."""
    at: UtcTime
    channel: str
    verified: bool
    reason: str = ""
    together_with: tuple[str, ...] = ()


class Card(Noun):
    """One question about one plan. It is made out of the ledger whenever it is needed and stored nowhere."""

    incident_id: str
    request_id: str
    plan_digest: str
    nonce: str = Field(default="", repr=False)
    """What an answer has to bring along with the two above; never shown to a person."""
    title: str
    """One line: what is asked, out of the plan's steps."""
    place: str
    """One line: repository, branch and commit, or the object in the cluster."""
    environment: str
    what_broke: str
    failure_class: str
    confidence: float = Field(ge=0.0, le=1.0)
    said_by: str
    quotes: tuple[EvidenceLine, ...] = ()
    """The lines that show the cause."""
    unread: tuple[str, ...] = ()
    """Sources that could not be read, each with why."""
    steps: tuple[CardStep, ...]
    risk: Risk
    """The highest of the steps'."""
    price: str
    """What carrying out the plan costs, as the plan itself says; `nothing` where it says so."""
    affected: tuple[str, ...]
    """Who else notices, one sentence each; says so where that is not known."""
    links: tuple[CardLink, ...] = ()
    asked_because: str
    remembered_incident: str | None = None
    """The healed incident whose fix this is again."""
    can_merge: bool = False
    """Whether *approve and merge* is another answer than *approve*."""
    asked_at: UtcTime
    deadline: UtcTime
    terms: ApprovalTerms
    said_yes: tuple[str, ...] = ()
    """Who said yes so far, where more than one person has to."""
    state: CardState
    snoozed_until: UtcTime | None = None
    answer: CardAnswer | None = None
    outcome: str = ""
    """How it ended, in one or two sentences; empty while it goes on."""
    progress: tuple[TimelineEntry, ...] = ()
    """What happened since it was asked, oldest first."""

    @property
    def editable(self) -> Mapping[str, str]:
        """What an approver may change in any of the steps, with its value now."""
        return {key: value for step in self.steps for key, value in step.editable.items()}
