"""Signal and Incident: what arrived at a door, and the failure that it opened."""

from enum import StrEnum
from hashlib import blake2b

from pydantic import Field

from tasks.domain.base import Noun, UtcTime
from tasks.domain.comment import CommentCommand
from tasks.domain.failure_class import FailureClass


class SignalSource(StrEnum):
    """Who says that something failed."""

    GITHUB = "github"
    PIPELINE = "pipeline"
    ALERTMANAGER = "alertmanager"
    PREFECT = "prefect"
    EVENTS = "events"
    CLUSTER = "cluster"


class SignalKind(StrEnum):
    """What failed, which decides the evidence to collect."""

    CI_RUN = "ci_run"
    IMAGE_SCAN = "image_scan"
    TERRAFORM = "terraform"
    ROLLOUT = "rollout"
    ALERT = "alert"
    RELEASE = "release"
    """Nothing failed: policy holds a release until a person has answered."""


class Severity(StrEnum):
    """How much a failure matters: `HIGH` on a default or release branch or in production."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class RunRef(Noun):
    """Points at one run of one workflow."""

    run_id: str
    """GitHub's number of the run, `check-NUMBER` for a check run of another app, or the local pipeline's id."""
    attempt: int = Field(default=1, ge=1)
    workflow: str
    workflow_path: str = ""
    url: str = ""


class ClusterTarget(Noun):
    """Where in a cluster something fails; a target without a name is the whole namespace."""

    namespace: str = ""
    """Empty for what belongs to the cluster."""
    kind: str = ""
    """`Deployment`, `Pod`, `Node`, …; empty with `name`."""
    name: str = ""
    node: str = ""
    revision: str = ""
    """What was being brought out when it failed, as the deploy names it; empty when it was no deploy."""
    context: str = ""
    """The context of the kubeconfig; empty for the one that the settings name."""


class DeployFailure(Noun):
    """What a deploy saw fail, in the words of whoever said no."""

    failure_class: FailureClass
    said: tuple[str, ...] = Field(min_length=1)
    """Redacted lines: the API server's refusals, each beginning with the object, or what the smoke test saw."""
    smoke_url: str = ""
    """What did not answer; empty when the deploy did not come as far as its smoke test."""


class Signal(Noun):
    """One failure as a door reported it, parsed and checked but not yet explained."""

    source: SignalSource
    kind: SignalKind
    delivery_id: str
    repository: str
    """`owner/name`; local repositories have the owner `local`."""
    branch: str
    commit: str
    default_branch: str = "main"
    base_branch: str | None = None
    """The branch that a pull request asks to merge into; `None` when the run is not of a pull request."""
    run: RunRef | None = None
    title: str
    actor: str = ""
    head_repository: str | None = None
    """Where the commit comes from when that is not `repository`: a fork."""
    cluster: ClusterTarget | None = None
    """What fails in a cluster; `None` for what fails elsewhere."""
    elsewhere: str = ""
    """The cluster that its sender names, where that is another one than ours; then `cluster` is `None`, for nothing of
    it can be looked at or changed here."""
    deploy: DeployFailure | None = None
    """What the deploy said of it, where one failed."""
    fingerprint: str = ""
    """The sender's own name for the thing that fails, the same each time it does; empty when it has none."""
    group: str = ""
    """What the sender says this failure is a part of, as an alert's group; empty when it says nothing."""
    dependency: str = ""
    """What the failing thing needs and does not get, where the sender knows it; empty when it does not."""
    severity: Severity = Severity.MEDIUM
    occurred_at: UtcTime

    @property
    def from_fork(self) -> bool:
        """Whether the commit comes from another repository than the one that the run belongs to."""
        return self.head_repository is not None and self.head_repository != self.repository


class Ignored(Noun):
    """An event that was understood and opens no incident."""

    delivery_id: str
    event: str
    reason: str
    """One clause for the operator: why nothing is done."""


class HealNotice(Noun):
    """Prefect tells of a run of heal itself: it was suspended, or it ended from outside, as by its time-out.

    It opens nothing and is believed in nothing: it only says where to look.
    """

    delivery_id: str
    flow_run_id: str
    waits: bool
    """Whether it was suspended, so that somebody has to be asked; else it ended."""
    occurred_at: UtcTime


class Resolved(Noun):
    """Something that failed is well again, as its sender says."""

    source: SignalSource
    fingerprint: str
    """That of the signal, or what `name_of` makes of its run."""
    title: str
    resolved_at: UtcTime
    delivery_id: str = ""
    """Of the event, where that tells of nothing else."""
    proof: str = ""
    """What its sender saw itself of the failed thing, where that is more than a word; one clause for the operator."""


class Delivery(Noun):
    """Everything that one accepted event tells: failures, ends of failures, or why it tells neither."""

    delivery_id: str
    signals: tuple[Signal, ...] = ()
    resolved: tuple[Resolved, ...] = ()
    notices: tuple[HealNotice, ...] = ()
    comments: tuple[CommentCommand, ...] = ()
    remark: str = ""
    """Why parts of it, or all, open no incident; empty when there is nothing to say."""

    @property
    def tells_nothing(self) -> bool:
        """Whether there is nothing to do about it."""
        return not (self.signals or self.resolved or self.notices or self.comments)


class IncidentStatus(StrEnum):
    """Where an incident stands; the last ten are ends."""

    OPEN = "open"
    TRIAGED = "triaged"
    WAITING = "waiting"
    ACTING = "acting"
    HEALED = "healed"
    REPORTED = "reported"
    DENIED = "denied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ESCALATED = "escalated"
    UNDONE = "undone"
    OFFERED = "offered"
    IGNORED = "ignored"
    RESOLVED = "resolved"
    """It went away by itself before anything was done."""
    JOINED = "joined"
    """Its failures are members of another incident, which is about the same cause."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in _IN_FLIGHT


_IN_FLIGHT = frozenset({IncidentStatus.OPEN, IncidentStatus.TRIAGED, IncidentStatus.WAITING, IncidentStatus.ACTING})


class Incident(Noun):
    """One failure being healed, from the signal that opened it to its end."""

    id: str
    key: str
    """Signals with the same key report the same failure: source, repository, workflow, branch and commit."""
    signal: Signal
    opened_at: UtcTime
    status: IncidentStatus = IncidentStatus.OPEN

    @property
    def environment(self) -> str:
        """What policy and track records call the place of the failure: `local`, `cluster` or the signal's source."""
        if self.signal.cluster is not None:
            return str(SignalSource.CLUSTER)
        return "local" if self.signal.source is SignalSource.PIPELINE else str(self.signal.source)


def short_hash(*parts: str, length: int = 8) -> str:
    """A stable hex digest of `length` characters; equal parts give equal digests on every machine."""
    return blake2b("\x1f".join(parts).encode(), digest_size=32).hexdigest()[:length]


def name_of(signal: Signal) -> str:
    """What an end names a failure by: the sender's own name, or the run of GitHub, whatever its attempt."""
    if signal.fingerprint or signal.run is None or signal.source is not SignalSource.GITHUB:
        return signal.fingerprint
    return run_name(signal.repository, signal.run.run_id)


def run_name(repository: str, run_id: str) -> str:
    """The same for each attempt of a run; another commit is another run."""
    return short_hash("run", repository, run_id, length=32)


def signal_key(signal: Signal) -> str:
    """Equal for two signals that report the same failure: the run, or the fingerprint since when it fails."""
    if signal.run is None and signal.fingerprint:
        return short_hash(signal.source, signal.fingerprint, signal.occurred_at.isoformat(), length=32)
    workflow = signal.run.workflow if signal.run else signal.title
    attempt = signal.run.run_id + "#" + str(signal.run.attempt) if signal.run else signal.delivery_id
    place = signal.cluster.model_dump_json() if signal.cluster is not None and signal.run is None else ""
    return short_hash(
        signal.source, signal.repository, workflow, signal.branch, signal.commit, attempt, place, length=32
    )


def open_incident(signal: Signal, *, now: UtcTime) -> Incident:
    """Open the incident of a signal; its id follows from the failure, so that one told twice is one incident.

    Of 100,000 incidents two have the same id with a chance of 2 in 100,000; the ledger refuses the second.
    """
    key = signal_key(signal)
    return Incident(id=f"inc-{short_hash(key, length=12)}", key=key, signal=signal, opened_at=now)
