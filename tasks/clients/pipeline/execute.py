"""The pipeline that runs here: executes a workflow file in a checkout and keeps what came of it, as GitHub would.

Where this machine differs from GitHub, the job's log says so: jobs run one after another in the one folder they are
given, actions, containers and services are not run, a job for Windows or macOS is skipped.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import cast

from tasks.clients.pipeline.checkout import find_default_branch, find_repository, read_head_commit
from tasks.clients.pipeline.contexts import NeededJob, RunFacts, github_context
from tasks.clients.pipeline.environment import inherited_environment
from tasks.clients.pipeline.expressions import Scope
from tasks.clients.pipeline.functions import plain_functions
from tasks.clients.pipeline.jobs import JobRun
from tasks.clients.pipeline.log import Clock, JobLog
from tasks.clients.pipeline.matrix import Combination, display_name, expand
from tasks.clients.pipeline.plans import Job, Workflow
from tasks.clients.pipeline.runs import RunStore, StoredRun
from tasks.clients.pipeline.templates import fill, fill_value, holds
from tasks.clients.pipeline.values import ExpressionError, Unavailable, Value
from tasks.clients.pipeline.workflow import load_workflow
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome
from tasks.errors import BadInputError

OnLine = Callable[[str], None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalPipeline:
    """Runs workflow files on this machine; every run is kept in the store.

    `secrets` and `variables` are what `${{ secrets.X }}` and `${{ vars.X }}` give; `inherit` names further variables of
    this machine that steps see.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        default_step_timeout_seconds: float,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        inherit: Iterable[str] = (),
        log_max_bytes: int = 2**30,
        clock: Clock = _utc_now,
    ) -> None:
        self._store, self._clock = store, clock
        self._default_step_timeout_seconds = default_step_timeout_seconds
        self._secrets, self._variables = dict(secrets or {}), dict(variables or {})
        self._inherit, self._log_max_bytes = tuple(inherit), log_max_bytes

    def run(  # noqa: PLR0913  what names a run
        self,
        checkout: Path,
        workflow_path: str,
        *,
        repository: str,
        branch: str,
        commit: str,
        job_keys: tuple[str, ...] | None = None,
        attempt: int = 1,
        on_line: OnLine | None = None,
        record: bool = True,
        repository_path: Path | None = None,
        default_branch: str | None = None,
    ) -> RunOutcome:
        """Execute a workflow in an existing checkout and return how it went; a red run is a value, not an error.

        `job_keys` runs these jobs only (by key, or by the name of one matrix leg) and takes what they need as done.
        With `record=False` the run can be read and its logs opened, but it does not count in the history. An
        interruption is kept as a cancelled run, then raised again.

        Raises:
            BadInputError: the path leaves the checkout, the workflow is not valid, or a job in `job_keys` does not
            exist.
        """
        checkout = checkout.resolve()
        workflow = load_workflow(_inside(checkout, workflow_path), shown_as=workflow_path)
        head = read_head_commit(checkout)
        facts = RunFacts(
            workflow=workflow,
            workflow_path=workflow_path,
            checkout=checkout,
            folder=self._store.begin(self._clock()),
            repository=repository,
            branch=branch,
            commit=commit,
            attempt=attempt,
            actor=head.author_name if head is not None and head.author_name else "local",
            default_branch=default_branch or find_default_branch(checkout, otherwise=branch),
            head_commit=head if head is not None and head.id == commit else None,
            secrets=self._secrets,
            variables=self._variables,
            inherited=inherited_environment(self._inherit),
            default_step_timeout_seconds=self._default_step_timeout_seconds,
            log_max_bytes=self._log_max_bytes,
        )
        run = WorkflowRun(facts, self._clock, on_line, job_keys)
        try:
            run.check()
        except BadInputError:
            facts.folder.path.rmdir()
            raise
        where = repository_path.absolute() if repository_path else find_repository(checkout)
        return self._finish(run, _Record(facts, where, self._clock(), time.monotonic(), record))

    def _finish(self, run: "WorkflowRun", record: "_Record") -> RunOutcome:
        try:
            run.execute()
        except BaseException:
            self._store.write(record.stored(run.jobs, Conclusion.CANCELLED))
            raise
        stored = record.stored(run.jobs, conclude(run.jobs))
        self._store.write(stored)
        return stored.outcome


@dataclass(frozen=True)
class _Record:
    """What is kept of a run of the repository `where` that began at `started_at`, and at `started` seconds of the
    monotonic clock."""

    facts: RunFacts
    where: Path
    started_at: datetime
    started: float
    counts: bool

    def stored(self, jobs: Iterable[JobOutcome], conclusion: Conclusion) -> StoredRun:
        facts = self.facts
        outcome = RunOutcome(
            run_id=facts.folder.run_id,
            attempt=facts.attempt,
            repository=facts.repository,
            workflow=facts.workflow.name,
            workflow_path=facts.workflow_path,
            branch=facts.branch,
            commit=facts.commit,
            conclusion=conclusion,
            jobs=tuple(jobs),
            started_at=self.started_at,
            seconds=round(time.monotonic() - self.started, 3),
        )
        return StoredRun(
            outcome=outcome,
            repository_path=str(self.where),
            default_branch=facts.default_branch,
            actor=facts.actor,
            run_number=facts.folder.number,
            head_commit=facts.head_commit,
            recorded=self.counts,
        )


def _inside(checkout: Path, workflow_path: str) -> Path:
    pure = PurePosixPath(workflow_path)
    if pure.is_absolute() or ".." in pure.parts or "\0" in workflow_path:
        raise BadInputError(f"The workflow {workflow_path[:200]!r} is not a path inside the repository.")
    path = (checkout / pure).resolve()
    if not path.is_relative_to(checkout):
        raise BadInputError(f"The workflow {workflow_path[:200]!r} leads out of the repository.")
    return path


def conclude(jobs: Iterable[JobOutcome]) -> Conclusion:
    """The conclusion of a run from those of its jobs; a job that may fail counts as passed."""
    found = {Conclusion.SUCCESS if job.allowed_to_fail and job.conclusion.failed else job.conclusion for job in jobs}
    for conclusion in (Conclusion.FAILURE, Conclusion.TIMED_OUT, Conclusion.CANCELLED, Conclusion.SUCCESS):
        if conclusion in found:
            return conclusion
    return Conclusion.SKIPPED


class WorkflowRun:
    """One run under way: its jobs in order of their needs."""

    def __init__(self, facts: RunFacts, clock: Clock, on_line: OnLine | None, job_keys: tuple[str, ...] | None) -> None:
        self.jobs: list[JobOutcome] = []
        self._facts, self._clock, self._on_line = facts, clock, on_line
        self._wanted = None if job_keys is None else set(job_keys)
        self._done: dict[str, NeededJob] = {}

    def execute(self) -> None:
        """Run the jobs; `jobs` holds how they went, also when this is interrupted."""
        workflow = self._facts.workflow
        for job in workflow.in_order():
            if self._wanted is not None and not self._wanted & self._names(job):
                unknown = Unavailable(f"the outputs of the job {job.key!r} are not known: it did not run this time")
                self._done[job.key] = NeededJob("success", unknown if job.outputs else {})
            else:
                self._run_job(job)

    def check(self) -> None:
        """Refuse jobs that are not in the workflow.

        Raises:
            BadInputError: one of them, with the names of those that are.
        """
        jobs = self._facts.workflow.jobs
        missing = (self._wanted or set()).difference(*(self._names(job) for job in jobs))
        if missing or self._wanted == set():
            known = ", ".join(repr(job.key) for job in jobs)
            asked = ", ".join(repr(name[:80]) for name in sorted(missing)) or "asked for"
            raise BadInputError(f"{self._facts.workflow_path} has no job {asked}; it has {known}.")

    def _names(self, job: Job) -> set[str]:
        """The job's key and, where they can be known before it runs, the names of its matrix legs."""
        try:
            scope = self._scope(job)
            return {job.key, *(name for name, _ in self._legs(job, scope))}
        except ExpressionError:
            return {job.key}

    def _scope(self, job: Job) -> Scope:
        ancestors = self._facts.workflow.ancestors(job)
        results = {self._done[key].result for key in ancestors if key in self._done}
        contexts: dict[str, Value] = {
            "github": {**github_context(self._facts), "job": job.key},
            "needs": {key: self._done[key].as_value() for key in job.needs if key in self._done},
            "vars": dict(self._facts.variables),
            "inputs": {},
            "strategy": {"fail-fast": True, "job-index": 0, "job-total": 1, "max-parallel": 1},
            "matrix": None,
        }
        status: dict[str, Callable[..., Value]] = {
            "success": lambda: results <= {"success"},
            "failure": lambda: "failure" in results,
            "cancelled": lambda: False,
            "always": lambda: True,
        }
        return Scope(contexts, {**plain_functions(), **status})

    def _legs(self, job: Job, scope: Scope) -> list[tuple[str, Combination]]:
        """The combinations of a job's matrix with the names that GitHub shows; one without values for a job without
        matrix."""
        if job.strategy is None:
            return [(fill(job.name, scope) if job.name else job.key, {})]
        legs = []
        matrix = cast("Value", job.strategy.matrix)  # plain values, read from YAML
        for combination in expand(fill_value(matrix, scope)):
            name = fill(job.name, scope.with_context("matrix", combination)) if job.name else job.key
            own = job.name is not None and "matrix" in job.name and "${{" in job.name
            legs.append((name if own else display_name(name, combination), combination))
        return legs

    def _run_job(self, job: Job) -> None:
        scope = self._scope(job)
        try:
            if not holds(job.condition, scope):
                self._finish(job, [self._skipped(job)], {})
                return
            legs = self._legs(job, scope)
            fail_fast = job.strategy is None or fill(job.strategy.fail_fast, scope).strip().lower() != "false"
        except ExpressionError as error:
            self._finish(job, [self._unstarted(job, job.key, Conclusion.FAILURE, str(error))], {})
            return
        outcomes: list[JobOutcome] = []
        outputs: dict[str, str] = {}
        wanted = self._wanted is None or job.key in self._wanted
        legs = [leg for leg in legs if wanted or leg[0] in (self._wanted or ())]
        for index, (name, combination) in enumerate(legs):
            if fail_fast and any(one.conclusion.failed and not one.allowed_to_fail for one in outcomes):
                outcomes.append(
                    self._unstarted(job, name, Conclusion.CANCELLED, "another job of its matrix failed (fail-fast)")
                )
                continue
            strategy: Value = {"fail-fast": fail_fast, "job-index": index, "job-total": len(legs), "max-parallel": 1}
            leg = scope.with_context("matrix", combination or None).with_context("strategy", strategy)
            outcome, given = self._run_leg(job, name, leg)
            outcomes.append(outcome)
            outputs |= given
        self._finish(job, outcomes, outputs)

    def _finish(self, job: Job, outcomes: list[JobOutcome], outputs: dict[str, str]) -> None:
        result = conclude(outcomes)
        # GitHub's `needs.X.result` knows no time-out: a job whose time was up counts as cancelled.
        shown = Conclusion.CANCELLED if result is Conclusion.TIMED_OUT else result
        self._done[job.key] = NeededJob(shown.value, outputs)

    def _open(self, name: str) -> tuple[str, JobLog]:
        log_ref, path = self._facts.folder.new_log(name)
        log = JobLog(path.open("wb"), self._clock, self._on_line, max_bytes=self._facts.log_max_bytes)
        for secret in self._facts.secrets.values():
            log.mask(secret)
        return log_ref, log

    def _unstarted(self, job: Job, name: str, conclusion: Conclusion, why: str) -> JobOutcome:
        """A job of which no step ran; its log says why."""
        log_ref, log = self._open(name)
        with log:
            if conclusion is Conclusion.FAILURE:
                log.error(f"The job '{name}' cannot start: {why}")
            else:
                log.warning(f"The job '{name}' was {conclusion.value}: {why}.")
        self.jobs.append(JobOutcome(key=job.key, name=name, conclusion=conclusion, log_ref=log_ref))
        return self.jobs[-1]

    def _skipped(self, job: Job) -> JobOutcome:
        """A job whose `if` does not hold; like GitHub it has no log."""
        self.jobs.append(JobOutcome(key=job.key, name=job.name or job.key, conclusion=Conclusion.SKIPPED))
        return self.jobs[-1]

    def _run_leg(self, job: Job, name: str, scope: Scope) -> tuple[JobOutcome, dict[str, str]]:
        try:
            labels = tuple(fill(label, scope) for label in job.runs_on)
            allowed_to_fail = fill(job.continue_on_error, scope).strip().lower() == "true"
        except ExpressionError as error:
            return self._unstarted(job, name, Conclusion.FAILURE, str(error)), {}
        if why := _cannot_run(job, labels):
            return self._unstarted(job, name, Conclusion.SKIPPED, why), {}
        log_ref, log = self._open(name)
        run = JobRun(self._facts, job, scope, log)
        conclusion = Conclusion.CANCELLED
        outputs: dict[str, str] = {}
        with log:
            self._introduce(job, name, labels, log)
            try:
                outputs = run.run()
                conclusion = _job_conclusion(run, log)
            except BaseException:
                log.error("The operation was canceled.")
                raise
            finally:
                outcome = JobOutcome(
                    key=job.key,
                    name=log.masked(name),
                    conclusion=conclusion,
                    steps=tuple(run.steps),
                    log_ref=log_ref,
                    report_refs=self._facts.folder.keep_reports(run.reports) if conclusion.failed else (),
                    allowed_to_fail=allowed_to_fail,
                )
                self.jobs.append(outcome)
                if run.summary:
                    (self._facts.folder.path / f"{log_ref}.summary.md").write_text(run.summary)
        return outcome, outputs

    def _introduce(self, job: Job, name: str, labels: tuple[str, ...], log: JobLog) -> None:
        facts = self._facts
        log.group(
            "Healflow local runner",
            [
                f"Job: {name}",
                f"Workflow: {facts.workflow.name} ({facts.workflow_path})",
                f"Commit: {facts.commit} on {facts.branch}",
                f"Runs on: this machine (asked for: {', '.join(labels)})",
                *(
                    ["Jobs run one after another and share this folder; on GitHub each has its own."]
                    if _shares(facts.workflow)
                    else []
                ),
            ],
        )
        if job.container:
            log.warning(f"The container '{job.container}' is not used here; the steps run on this machine.")
        if job.services:
            log.warning(f"The services {', '.join(job.services)} are not started here.")


def _shares(workflow: Workflow) -> bool:
    return len(workflow.jobs) > 1 or any(job.strategy is not None for job in workflow.jobs)


def _cannot_run(job: Job, labels: tuple[str, ...]) -> str:
    """Why a job cannot run on this machine, empty when it can."""
    if job.uses is not None:
        return f"it uses the reusable workflow {job.uses}, which is not run on this machine"
    here = "windows" if sys.platform == "win32" else "macos" if sys.platform == "darwin" else "linux"
    for label in labels:
        for system in ("windows", "macos"):
            if system in label.lower() and system != here:
                return f"it runs on {label}, which this machine is not"
    return ""


def _job_conclusion(run: JobRun, log: JobLog) -> Conclusion:
    if run.timed_out:
        return Conclusion.TIMED_OUT
    ran = any(step.command is not None and step.conclusion is not Conclusion.SKIPPED for step in run.steps)
    skipped_actions = any(step.uses is not None for step in run.steps)
    if run.status is Conclusion.SUCCESS and skipped_actions and not ran:
        log.warning("Nothing of this job ran on this machine, so it is skipped, not passed.")
        return Conclusion.SKIPPED
    return run.status
