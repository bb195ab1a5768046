"""Triage, Remediation and Story: what the flows hand to each other, and an incident told whole."""

from tasks.domain.approval import Approval, ApprovalRequest
from tasks.domain.base import Noun, UtcTime
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.grouping import Member
from tasks.domain.incident import Incident
from tasks.domain.outcome import ActionResult, Outcome, SimilarIncident, Verification
from tasks.domain.plan import Decision, Plan


class Triage(Noun):
    """What the read-only half of a heal found out."""

    incident: Incident
    evidence: Evidence
    diagnosis: Diagnosis
    similar: tuple[SimilarIncident, ...]
    plan: Plan
    cluster: ClusterTriage | None = None
    """For a failure in a cluster."""


class Settled(Noun):
    """What a heal asks about and acts on: a run that goes on after a crash asks and does nothing else."""

    triage: Triage
    decision: Decision
    approval: Approval | None = None
    """`None` until it begins to act, and where policy allowed the plan without a person."""


class Explanation(Noun):
    """Why something failed, read from outside text alone: no incident is opened and nothing is planned."""

    evidence: Evidence
    diagnosis: Diagnosis
    passed: bool = False
    """Whether the log itself ends by saying that all went well."""
    bytes_read: int = 0


class Remediation(Noun):
    """What the acting half did. `undone` is `None` when nothing had to be taken back."""

    results: tuple[ActionResult, ...]
    verification: Verification | None = None
    undone: bool | None = None
    branch: str | None = None
    merged: bool = False
    waits_for_merge: bool = False
    """Whether the fix was made in git, and takes effect once somebody merges it."""
    problem: str = ""
    """Why an action was not carried out, or what could not be merged or undone; empty when all went well."""

    @property
    def healed(self) -> bool:
        """Whether everything was applied and the failed thing passes."""
        return self.verification is not None and self.verification.passed and not self.undone


class TimelineEntry(Noun):
    """One moment of a story, in the operator's words."""

    at: UtcTime
    what: str


class Story(Noun):
    """An incident told whole, as far as it has come."""

    incident: Incident
    evidence: Evidence | None = None
    diagnosis: Diagnosis | None = None
    plan: Plan | None = None
    decision: Decision | None = None
    request: ApprovalRequest | None = None
    approval: Approval | None = None
    results: tuple[ActionResult, ...] = ()
    verification: Verification | None = None
    outcome: Outcome | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    similar: tuple[SimilarIncident, ...] = ()
    members: tuple[Member, ...] = ()
    """The failures that it stands for, the first of them first, bounded; `member_count` is how many there are."""
    member_count: int = 1
