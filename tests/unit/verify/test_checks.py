"""Only the failed job itself, run again with a command that really ran, proves a fix."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome, StepOutcome
from tasks.verify import verify_by_rerun


def _job(
    key: str, conclusion: Conclusion, *, name: str = "", exit_code: int | None = 0, ran: bool = True
) -> JobOutcome:
    step = StepOutcome(
        number=1,
        name="Run the tests",
        conclusion=conclusion if ran else Conclusion.SKIPPED,
        command="pytest",
        exit_code=exit_code if ran else None,
    )
    return JobOutcome(key=key, name=name or key, conclusion=conclusion, steps=(step,))


def _run(*jobs: JobOutcome, conclusion: Conclusion = Conclusion.FAILURE) -> RunOutcome:
    return RunOutcome(
        run_id="r1",
        attempt=1,
        repository="local/shop",
        workflow="CI",
        workflow_path=".github/workflows/ci.yml",
        branch="main",
        commit="a" * 40,
        conclusion=conclusion,
        jobs=jobs,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=2.0,
    )


class Runner:
    """Runs nothing, and answers with the jobs it was given, of those it was asked for."""

    def __init__(self, *jobs: JobOutcome) -> None:
        self.jobs = jobs
        self.asked: tuple[str, ...] = ()
        self.recorded: bool | None = None
        self.attempt = 0

    def run(
        self,
        checkout: Path,
        workflow_path: str,
        *,
        repository: str,
        branch: str,
        commit: str,
        job_keys: tuple[str, ...] | None = None,
        attempt: int = 1,
        on_line: object = None,
        record: bool = True,
    ) -> RunOutcome:
        self.asked, self.recorded, self.attempt = job_keys or (), record, attempt
        chosen = tuple(job for job in self.jobs if {job.key, job.name} & set(self.asked))
        return _run(*chosen, conclusion=Conclusion.SUCCESS)


FAILED = _job("test", Conclusion.FAILURE, exit_code=1)


@pytest.mark.parametrize(
    "again",
    [
        _job("test", Conclusion.FAILURE, exit_code=1),
        _job("test", Conclusion.SKIPPED, ran=False),
        _job("test", Conclusion.CANCELLED),
        _job("test", Conclusion.TIMED_OUT, exit_code=None),
        _job("test", Conclusion.SUCCESS, ran=False),
        _job("test", Conclusion.SUCCESS, exit_code=1),
        JobOutcome(key="test", name="test", conclusion=Conclusion.SUCCESS),
        _job("lint", Conclusion.SUCCESS),
    ],
)
def test_this_is_no_proof(tmp_path: Path, again: JobOutcome) -> None:
    verification = verify_by_rerun(Runner(again), checkout=tmp_path, run=_run(FAILED), failed_jobs=(FAILED,))
    assert not verification.passed
    assert verification.checks[0].detail


def test_a_job_of_actions_only_proves_nothing(tmp_path: Path) -> None:
    step = StepOutcome(number=1, name="x", conclusion=Conclusion.SUCCESS, uses="actions/checkout@v4")
    again = JobOutcome(key="test", name="test", conclusion=Conclusion.SUCCESS, steps=(step,))
    verification = verify_by_rerun(Runner(again), checkout=tmp_path, run=_run(FAILED), failed_jobs=(FAILED,))
    assert verification.checks[0].detail == "test ran no command, which proves nothing"


def test_no_failed_job_proves_nothing(tmp_path: Path) -> None:
    runner = Runner(_job("test", Conclusion.SUCCESS))
    assert not verify_by_rerun(runner, checkout=tmp_path, run=_run(FAILED), failed_jobs=()).passed
    assert runner.asked == ()


def test_every_failed_job_has_to_pass(tmp_path: Path) -> None:
    lint = _job("lint", Conclusion.FAILURE, exit_code=1)
    runner = Runner(_job("test", Conclusion.SUCCESS), lint)
    verification = verify_by_rerun(runner, checkout=tmp_path, run=_run(FAILED, lint), failed_jobs=(FAILED, lint))
    assert not verification.passed
    assert [check.passed for check in verification.checks] == [True, False]


def test_exactly_the_failed_jobs_run_and_do_not_count_in_the_history(tmp_path: Path) -> None:
    runner = Runner(_job("test", Conclusion.SUCCESS), _job("lint", Conclusion.SUCCESS))
    run = _run(FAILED, _job("lint", Conclusion.SUCCESS))
    verification = verify_by_rerun(runner, checkout=tmp_path, run=run, failed_jobs=(FAILED,))
    assert verification.passed
    assert (runner.asked, runner.recorded, runner.attempt) == (("test",), False, 2)
    assert verification.checks[0].detail == "test passes: 1 command ran in 2.0 s"


def test_one_leg_of_a_matrix_runs_by_its_name(tmp_path: Path) -> None:
    green = _job("test", Conclusion.SUCCESS, name="test (3.11)")
    red = _job("test", Conclusion.FAILURE, name="test (3.12)", exit_code=1)
    runner = Runner(green, red.model_copy(update={"conclusion": Conclusion.SUCCESS, "steps": green.steps}))
    verification = verify_by_rerun(runner, checkout=tmp_path, run=_run(green, red), failed_jobs=(red,))
    assert verification.passed
    assert runner.asked == ("test (3.12)",)


WORKFLOW = """\
name: CI
on: push
jobs:
  lint:
    runs-on: ubuntu-latest
    steps: [{run: exit 1}]
  test:
    runs-on: ubuntu-latest
    steps:
      - run: test -f fixed
      - if: always()
        run: echo done
"""


def test_the_local_pipeline_proves_a_fix_and_its_absence(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".github/workflows").mkdir(parents=True)
    (checkout / ".github/workflows/ci.yml").write_text(WORKFLOW)
    pipeline = LocalPipeline(RunStore(tmp_path / "runs"), default_step_timeout_seconds=30)
    names = {"repository": "local/shop", "branch": "main", "commit": "a" * 40}
    run = pipeline.run(checkout, ".github/workflows/ci.yml", job_keys=("test",), **names)
    without = verify_by_rerun(pipeline, checkout=checkout, run=run, failed_jobs=run.failed_jobs)
    assert not without.passed
    assert "with exit code 1" in without.checks[0].detail
    (checkout / "fixed").write_text("")
    assert verify_by_rerun(pipeline, checkout=checkout, run=run, failed_jobs=run.failed_jobs).passed
