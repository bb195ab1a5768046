"""What a CI run did: its jobs and steps with their conclusions, on GitHub or on this machine."""

from enum import StrEnum

from tasks.domain.base import Noun, UtcTime


class Conclusion(StrEnum):
    """How a run, job or step ended, in GitHub's words."""

    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    NEUTRAL = "neutral"
    ACTION_REQUIRED = "action_required"
    STALE = "stale"
    STARTUP_FAILURE = "startup_failure"

    @property
    def failed(self) -> bool:
        """Whether this conclusion makes the run one to heal."""
        return self in (Conclusion.FAILURE, Conclusion.TIMED_OUT, Conclusion.STARTUP_FAILURE)


class StepOutcome(Noun):
    """One step of a job. `command` is the script of a `run:` step, `None` for a `uses:` step."""

    number: int
    name: str
    conclusion: Conclusion
    command: str | None = None
    uses: str | None = None
    exit_code: int | None = None
    seconds: float | None = None


class JobOutcome(Noun):
    """One job of a run. `key` names it in the workflow file, `name` is what GitHub shows (with the matrix values)."""

    key: str
    name: str
    conclusion: Conclusion
    steps: tuple[StepOutcome, ...] = ()
    log_ref: str = ""
    """Where the job's log is read from: a file name inside the run's folder, or GitHub's job number."""
    report_refs: tuple[str, ...] = ()
    """Reports that its commands wrote, a scanner's for instance: file names inside the run's folder."""
    allowed_to_fail: bool = False
    """Whether the workflow says `continue-on-error` for the job: its failure does not fail the run."""

    @property
    def failed_step(self) -> StepOutcome | None:
        """The first step that made the job fail, `None` when no step did."""
        return next((step for step in self.steps if step.conclusion.failed), None)


class RunOutcome(Noun):
    """One run of a workflow with all its jobs."""

    run_id: str
    attempt: int
    repository: str
    workflow: str
    workflow_path: str
    branch: str
    commit: str
    conclusion: Conclusion
    jobs: tuple[JobOutcome, ...]
    started_at: UtcTime
    seconds: float

    @property
    def failed_jobs(self) -> tuple[JobOutcome, ...]:
        """The jobs that made the run fail, in workflow order."""
        return tuple(job for job in self.jobs if job.conclusion.failed and not job.allowed_to_fail)
