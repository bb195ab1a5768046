"""Outcome: what was done, whether it helped, and what to remember of it."""

from enum import StrEnum

from pydantic import Field

from tasks.domain.base import Noun, UtcTime
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus


class ActionStatus(StrEnum):
    """How an action ended. `ALREADY_APPLIED`: an earlier, interrupted attempt had done it."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"
    FAILED = "failed"
    UNDONE = "undone"


class ActionResult(Noun):
    """What an action did, with all that its undo needs."""

    action_name: str
    status: ActionStatus
    message: str
    pre_image: str = ""
    """JSON, written before the change: the state that the undo restores."""
    post_image: str = ""
    """JSON: the state that the change made, which a later undo checks for."""


class MergeOutcome(Noun):
    """Whether a branch was moved (a merge, or a merge taken back), from which commit to which, or why not."""

    done: bool
    before: str | None = None
    """The branch's last commit before the move, which taking it back needs."""
    after: str | None = None
    problem: str = ""
    """In the operator's words; empty when it was done."""


class Check(Noun):
    """One thing that was run or read again to prove a fix."""

    name: str
    passed: bool
    detail: str

    @property
    def told(self) -> str:
        """What was found, with the name of what it was found of said once."""
        return self.detail if self.detail.startswith(f"{self.name} ") else f"{self.name}: {self.detail}"


class Verification(Noun):
    """The proof: the failed thing itself, run again."""

    passed: bool
    checks: tuple[Check, ...]
    seconds: float = Field(ge=0.0)
    inconclusive: str = ""
    """Why it could be neither proven nor disproven here; empty when it was either."""


class Outcome(Noun):
    """The end of an incident."""

    incident_id: str
    fingerprint: str
    failure_class: FailureClass
    status: IncidentStatus
    action_names: tuple[str, ...]
    summary: str
    """One or two sentences for the operator: what happened and what is left to do."""
    branch: str | None = None
    """The branch that holds the fix, `None` when nothing was changed or the change was undone."""
    merged: bool = False
    seconds: float = Field(ge=0.0)
    """From the incident's opening to its end."""
    spend_usd: float = 0.0
    """What language models charged; rules cost nothing."""
    ended_at: UtcTime


class SimilarIncident(Noun):
    """An ended incident with the same fingerprint, and what became of it."""

    incident_id: str
    status: IncidentStatus
    action_names: tuple[str, ...]
    plan_parameters: tuple[str, ...] = ()
    """Each action's parameters as JSON, in the order of `action_names`."""
    ended_at: UtcTime


class TrackRecord(Noun):
    """How often one action helped against one class in one environment."""

    failure_class: FailureClass
    action_name: str
    environment: str
    healed: int = 0
    failed: int = 0
    healed_since_failure: int = 0
