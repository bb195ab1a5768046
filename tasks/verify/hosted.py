"""Proves fixes of runs on GitHub: a re-run by the attempt that GitHub made, a patch by running the failed jobs here.

A machine is not GitHub's runner. So the failed jobs are run here without the patch first: what does not fail here, or
fails elsewhere than it did on GitHub, can be neither proven nor disproven, and that is said.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tasks.domain.code_host import HostedRun
from tasks.domain.outcome import Check, Verification
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome
from tasks.errors import BadInputError, NotFoundError, TransientError
from tasks.verify.checks import JobRunner, OnLine, verify_by_rerun

POLL_SECONDS = 15.0
APPEARS_WITHIN_SECONDS = 120.0
"""How long a new attempt may be unknown to GitHub after it was asked for."""


class AttemptReader(Protocol):
    """Whoever can read a run's attempts: GitHub."""

    def read(self, repository: str, run_id: str, *, attempt: int | None = None) -> HostedRun:
        """One attempt."""
        ...

    def jobs(self, run: HostedRun) -> tuple[JobOutcome, ...]:
        """Its jobs that have ended."""
        ...


def verify_attempt(
    runs: AttemptReader,
    *,
    repository: str,
    run_id: str,
    attempt: int,
    failed_jobs: tuple[JobOutcome, ...],
    timeout_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Verification:
    """Wait until an attempt has ended; the fix is proven when each job that had failed passes in it."""
    started = clock()
    while (run := _ended(runs, repository, run_id, attempt, young=clock() - started < APPEARS_WITHIN_SECONDS)) is None:
        if clock() - started >= timeout_seconds:
            told = f"attempt {attempt} of run {run_id} had not ended after {timeout_seconds:.0f} s"
            return Verification(passed=False, checks=(), seconds=clock() - started, inconclusive=told)
        wait(POLL_SECONDS)
    found = {job.name: job for job in runs.jobs(run)}
    checks = tuple(_check(job, found.get(job.name), attempt) for job in failed_jobs)
    passed = bool(checks) and all(check.passed for check in checks)
    return Verification(passed=passed, checks=checks, seconds=max(0.0, clock() - started))


def _ended(runs: AttemptReader, repository: str, run_id: str, attempt: int, *, young: bool) -> HostedRun | None:
    try:
        run = runs.read(repository, run_id, attempt=attempt)
    except TransientError:
        return None
    except NotFoundError:
        if young:
            return None
        raise
    return run if run.ended else None


def _check(job: JobOutcome, again: JobOutcome | None, attempt: int) -> Check:
    if again is None:
        return Check(name=job.name, passed=False, detail=f"{job.name} did not run in attempt {attempt}")
    passed = again.conclusion is Conclusion.SUCCESS
    told = f"{job.name} passes" if passed else f"{job.name} ended as {again.conclusion}"
    return Check(name=job.name, passed=passed, detail=f"{told} in attempt {attempt}")


def verify_patch_here(
    job_runner: JobRunner, *, run: RunOutcome, fixed: Path, unfixed: Path, commit: str
) -> Verification:
    """Run the failed jobs here, without the patch and with it; `fixed` holds `commit`, `unfixed` what failed."""
    if not run.failed_jobs:
        return _inconclusive("no failed job is known")
    recorder = _Recorder(job_runner)
    try:
        before = verify_by_rerun(recorder, checkout=unfixed, run=run, failed_jobs=run.failed_jobs)
        if before.passed:
            return _inconclusive("the failure does not show on this machine even without the patch", before)
        if elsewhere := _elsewhere(run.failed_jobs, recorder.last):
            return _inconclusive(elsewhere, before)
        after = verify_by_rerun(recorder, checkout=fixed, run=run, failed_jobs=run.failed_jobs, commit=commit)
    except BadInputError as error:
        return _inconclusive(f"the workflow cannot be run on this machine ({error})")
    seconds = before.seconds + after.seconds
    if not after.passed and (elsewhere := _elsewhere(run.failed_jobs, recorder.last)):
        return _inconclusive(elsewhere, after)
    without = tuple(Check(name=f"{one.name}, without the fix", passed=True, detail=one.detail) for one in before.checks)
    return Verification(passed=after.passed, checks=(*without, *after.checks), seconds=seconds)


def _inconclusive(reason: str, found: Verification | None = None) -> Verification:
    seconds = found.seconds if found else 0.0
    return Verification(passed=False, checks=(), seconds=seconds, inconclusive=reason)


def _elsewhere(failed_jobs: tuple[JobOutcome, ...], here: RunOutcome | None) -> str:
    """Why a failure here is not the one of GitHub: it is in another step. Empty when it may be the same."""
    failed_here = False
    for job in failed_jobs:
        again = _same(job, here)
        if again is None or not (again.conclusion.failed or again.conclusion is Conclusion.SUCCESS):
            return f"{job.name} cannot be run on this machine (it ended as {again.conclusion if again else 'absent'})"
        failed_here = failed_here or again.conclusion.failed
        there, step = job.failed_step, again.failed_step
        if again.conclusion.failed and there is not None and (step is None or step.name != there.name):
            shown = f"in the step {step.name!r}" if step else "before its first step"
            return f"{job.name} fails here {shown}, and on GitHub in {there.name!r}: this machine lacks what it needs"
    return "" if failed_here else "no command of the failed jobs ran on this machine"


def _same(job: JobOutcome, run: RunOutcome | None) -> JobOutcome | None:
    jobs = run.jobs if run else ()
    by_name = next((one for one in jobs if one.name == job.name), None)
    return by_name or next((one for one in jobs if one.key == job.key), None)


class _Recorder:
    """A job runner that keeps what the last run was like."""

    def __init__(self, job_runner: JobRunner) -> None:
        self._runner = job_runner
        self.last: RunOutcome | None = None

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
    ) -> RunOutcome:
        """As the runner does."""
        self.last = None
        self.last = self._runner.run(
            checkout,
            workflow_path,
            repository=repository,
            branch=branch,
            commit=commit,
            job_keys=job_keys,
            attempt=attempt,
            on_line=on_line,
            record=record,
        )
        return self.last
