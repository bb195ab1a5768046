"""What a deploy is asked for, what it decided and saw on its way, and how it ended."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, SkipValidation

from tasks.domain.approval import ApprovalTerms
from tasks.domain.base import Noun, UtcTime
from tasks.domain.cluster import ObjectRef
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Verdict


class ReleaseOrder(Noun):
    """What is to be brought out, and where."""

    folder: str
    """A kustomize folder, a folder of manifests, or one file of them."""
    namespace: str = ""
    """Where all namespaced objects go; empty keeps what they say, and `default` for those that say nothing."""
    image_map: tuple[str, ...] = ()
    """`FROM=TO`."""
    commit: str = ""
    smoke_url: str = ""
    """What has to answer with 2xx afterwards; empty is `smoke_path` at the first NodePort of the release."""
    smoke_path: str = "/_healthz"
    smoke_timeout_seconds: float = Field(default=60, gt=0, le=3600)
    dry_run: bool = False
    rollout_timeout_seconds: float = Field(default=300, gt=0, le=3600)


class ObjectDecision(Noun):
    """The gate's answer about one object of a release."""

    ref: ObjectRef
    verdict: Verdict
    rules: tuple[str, ...]
    reason: str
    terms: ApprovalTerms = ApprovalTerms()
    """Who may say yes, where it asks."""


class Difference(Noun):
    """What applying one object would change."""

    ref: ObjectRef
    created: bool = False
    text: str = ""
    """A unified diff; empty when nothing changes. Values of Secrets are never in it."""
    untried: bool = False
    """Whether it could only be compared, as its namespace is still to be made: a quota may yet refuse it."""
    taken: tuple[str, ...] = ()
    """The fields that a heal of ours had changed, and that become again what the manifest says."""


class ObjectRefusal(Noun):
    """One object that the API server did not take."""

    ref: ObjectRef
    conflict: bool = False
    """Whether it is a field that another manager owns, and nothing wrong with the object."""
    message: str
    """The API server's own words."""


class Preview(Noun):
    """What a dry run of the whole release says."""

    differences: tuple[Difference, ...] = ()
    refused: tuple[ObjectRefusal, ...] = ()


class RolloutState(StrEnum):
    """How far a workload has come."""

    PROGRESSING = "progressing"
    DONE = "done"
    FAILED = "failed"


class Rollout(Noun):
    """One workload as it was last seen."""

    ref: ObjectRef
    state: RolloutState
    message: str
    revision: int = 0


class Smoke(Noun):
    """What the smoke test after a rollout saw."""

    url: str = ""
    """What was asked; empty when the release has no door and none was named."""
    wrong: str = ""
    """Empty when it answered."""
    door: ObjectRef | None = None
    """The Service of the release behind that address, where it is one."""


class VerifiedRevision(Noun):
    """One revision of a workload that was seen to serve."""

    context: str
    ref: ObjectRef
    revision: int
    replica_set: str
    """The ReplicaSet's name, which ends in the template's hash."""
    replica_set_uid: str
    commit: str = ""
    deployed_at: UtcTime
    verified_at: UtcTime


class DeployStatus(StrEnum):
    """How a deploy ended."""

    VERIFIED = "verified"
    DRY_RUN = "dry_run"
    DENIED = "denied"
    NOT_APPROVED = "not_approved"
    INVALID = "invalid"
    CONFLICT = "conflict"
    ROLLOUT_FAILED = "rollout_failed"
    SMOKE_FAILED = "smoke_failed"


class DeployReport(Noun):
    """The whole story of one deploy."""

    status: DeployStatus
    message: str
    failure_class: FailureClass | None = None
    """`None` where nothing failed, or where nothing was tried."""
    context: str = ""
    commit: str = ""
    decisions: tuple[ObjectDecision, ...] = ()
    differences: tuple[Difference, ...] = ()
    refused: tuple[ObjectRefusal, ...] = ()
    """What the API server did not take."""
    rollouts: tuple[Rollout, ...] = ()
    verified: tuple[VerifiedRevision, ...] = ()
    incident_ids: tuple[str, ...] = ()
    """What failed."""
    held_id: str = ""
    """The incident as which the release waited for a person; empty when nobody was asked."""

    @property
    def succeeded(self) -> bool:
        """Whether what was asked for is done."""
        return self.status in (DeployStatus.VERIFIED, DeployStatus.DRY_RUN)


Manifests = tuple[Annotated[dict[str, Any], SkipValidation], ...]
"""The objects of a release as they are applied."""
