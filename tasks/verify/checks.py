"""Proves a fix: exactly the jobs that failed are run again, in a checkout that holds the fix.

A job counts as proof only if it ends as a success and at least one of its own commands ran.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tasks.domain.outcome import Check, Verification
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome

OnLine = Callable[[str], None]


class JobRunner(Protocol):
    """Whoever can run jobs of a workflow file: the local pipeline."""

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
        """Run the named jobs, given by key or by the name of a matrix leg, and return how it went."""
        ...


def verify_by_rerun(
    job_runner: JobRunner,
    *,
    checkout: Path,
    run: RunOutcome,
    failed_jobs: tuple[JobOutcome, ...],
    commit: str | None = None,
    on_line: OnLine | None = None,
) -> Verification:
    """Run the failed jobs again; the run is not added to the branch's history. `commit` is what `checkout` holds,
    `None` for the commit of the failed run."""
    if not failed_jobs:
        nothing = Check(name=run.workflow, passed=False, detail="no failed job is known, so nothing can be proven")
        return Verification(passed=False, checks=(nothing,), seconds=0.0)
    again = job_runner.run(
        checkout,
        run.workflow_path,
        repository=run.repository,
        branch=run.branch,
        commit=commit or run.commit,
        job_keys=tuple(_selector(job, run) for job in failed_jobs),
        attempt=run.attempt + 1,
        on_line=on_line,
        record=False,
    )
    checks = tuple(_check(job, again, known_leg=_is_leg(job, run)) for job in failed_jobs)
    return Verification(passed=all(check.passed for check in checks), checks=checks, seconds=again.seconds)


def _is_leg(job: JobOutcome, run: RunOutcome) -> bool:
    return sum(other.key == job.key for other in run.jobs) > 1


def _selector(job: JobOutcome, run: RunOutcome) -> str:
    """The name of one leg of a matrix, so that only the failed legs run; else the job's key."""
    return job.name if _is_leg(job, run) else job.key


def _check(job: JobOutcome, again: RunOutcome, *, known_leg: bool) -> Check:
    found = [other for other in again.jobs if other.key == job.key and (not known_leg or other.name == job.name)]
    if not found:
        return Check(name=job.name, passed=False, detail=f"the job {job.name} did not run again")
    problem = next((why for other in found if (why := _why_no_proof(other))), "")
    if problem:
        return Check(name=job.name, passed=False, detail=problem)
    ran = sum(_ran(other) for other in found)
    plural = "command" if ran == 1 else "commands"
    return Check(name=job.name, passed=True, detail=f"{job.name} passes: {ran} {plural} ran in {again.seconds:.1f} s")


def _ran(job: JobOutcome) -> int:
    """How many of the job's own commands ran to a good end; one that failed and was let off is no proof."""
    return sum(step.command is not None and step.exit_code == 0 for step in job.steps)


def _why_no_proof(job: JobOutcome) -> str:
    if job.conclusion is not Conclusion.SUCCESS:
        failed = job.failed_step
        where = f" in the step {failed.name!r}" if failed else ""
        code = f" with exit code {failed.exit_code}" if failed and failed.exit_code is not None else ""
        return f"{job.name} ended as {job.conclusion}{where}{code}"
    return "" if _ran(job) else f"{job.name} ran no command, which proves nothing"
