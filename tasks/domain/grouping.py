"""What failures can have in common, and the incidents that a new one could belong to."""

from enum import StrEnum

from tasks.domain.base import Noun, UtcTime
from tasks.domain.incident import Incident, IncidentStatus, Signal


class GroupedBy(StrEnum):
    """What two failures share when they are taken for one, the closest bond first."""

    FINGERPRINT = "fingerprint"
    """The sender calls both by the same name."""
    TARGET = "target"
    CAUSE = "cause"
    """What has to change for both, as the triage of each found."""
    DEPENDENCY = "dependency"
    NODE = "node"
    COMMIT = "commit"
    GROUP = "group"


class GroupKey(Noun):
    """One thing that a failure shares with others of its kind."""

    by: GroupedBy
    value: str

    def __str__(self) -> str:
        """How it stands in the ledger and before the operator: `node worker-1`."""
        return f"{self.by} {self.value}"


class Gathering(Noun):
    """An incident that has a key, as far as its members have come in."""

    incident_id: str
    key: GroupKey
    status: IncidentStatus
    newest_at: UtcTime
    """When its newest member arrived."""


class Member(Noun):
    """One of the failures that an incident stands for; the first one opened it."""

    signal: Signal
    joined_by: str
    """What it shares with the incident, as `node worker-1`; for the first that of which it was left, as `after inc-1`,
    or nothing."""
    joined_at: UtcTime
    said_well_at: UtcTime | None = None
    """When its sender said that it is well again, `None` while it has not."""
    resolved_at: UtcTime | None = None
    """When it counted as well again: where it can be looked at, that takes more than its sender's word."""

    @property
    def end(self) -> str:
        """What became of it, in the operator's words; empty while it fails."""
        if self.resolved_at is not None:
            return "well again"
        return "well again, as its sender says" if self.said_well_at is not None else ""


class Following(Noun):
    """The incident of those members of an ended one that still fail; the first of them opens it."""

    incident: Incident
    found_by: tuple[GroupKey, ...]
    """Under which further failures find it."""
    members: tuple[str, ...]
    """The keys of the signals that go over to it, its own first."""
