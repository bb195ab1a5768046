"""GateRequest and Limits: all that the gate may know when it decides about a plan."""

from pydantic import Field

from tasks.domain.base import Noun
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.incident import Incident
from tasks.domain.outcome import TrackRecord
from tasks.domain.plan import Plan


class GateRequest(Noun):
    """One plan with its history."""

    incident: Incident
    diagnosis: Diagnosis
    plan: Plan
    track_records: tuple[TrackRecord, ...] = ()
    """One for each action of the plan, for this class and environment."""
    reruns_so_far: int = Field(default=0, ge=0)
    """Automatic re-runs of this class on this commit."""
    failed_attempts_today: int = Field(default=0, ge=0)
    """Fixes of this fingerprint within the last 24 hours that did not help or were taken back."""
    taken_before: tuple[str, ...] = ()
    """Names of the actions that were taken against this fingerprint in incidents that ended, whatever came of them."""
    actions_last_hour: int = Field(default=0, ge=0)
    """Over all incidents."""


class Limits(Noun):
    """What the floor holds whatever the policy says."""

    kill_switch: bool = False
    frozen: str = ""
    """Why nothing may be changed now; empty when something may."""
    protected_branches: tuple[str, ...] = ()
    max_attempts_per_fingerprint: int = Field(default=2, ge=1)
    max_actions_per_hour: int = Field(default=30, ge=1)
