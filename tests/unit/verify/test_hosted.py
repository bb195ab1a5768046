"""A fix of a run on GitHub: what proves nothing first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clients.github import GithubClient
from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.domain.outcome import Verification
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome, StepOutcome
from tasks.verify import verify_attempt, verify_patch_here
from tests.fakes.github import REPOSITORY, FakeGithub, serving
from tests.unit.clients.github.conftest import client_of

PATH = ".github/workflows/ci.yml"
WORKFLOW = """\
on: push
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - run: test -e setup || exit 7
      - name: Lint
        run: grep -q good shop.txt
"""


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {"a": "1"})
        yield github


@pytest.fixture
def github(fake: FakeGithub) -> Iterator[GithubClient]:
    with client_of(fake) as client:
        yield client


def failed_job(name: str = "lint", step: str = "Lint") -> JobOutcome:
    steps = (StepOutcome(number=2, name=step, conclusion=Conclusion.FAILURE),)
    return JobOutcome(key=name, name=name, conclusion=Conclusion.FAILURE, steps=steps)


def wait_for(github: GithubClient, run_id: int, waits: list[float], on_wait: object = None) -> Verification:
    now = [0.0]

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds
        if callable(on_wait):
            on_wait()

    return verify_attempt(
        github.runs,
        repository=REPOSITORY,
        run_id=str(run_id),
        attempt=2,
        failed_jobs=(failed_job(),),
        timeout_seconds=60,
        clock=lambda: now[0],
        wait=wait,
    )


def test_an_attempt_that_does_not_end_proves_nothing(github: GithubClient, fake: FakeGithub) -> None:
    run_id = fake.run(fake.refs["main"])
    fake.run(fake.refs["main"], run_id=run_id, conclusion=None)
    waits: list[float] = []
    verification = wait_for(github, run_id, waits)
    assert not verification.passed
    assert "had not ended after 60 s" in verification.inconclusive
    assert sum(waits) == 60


def test_an_attempt_that_never_appears_proves_nothing(github: GithubClient, fake: FakeGithub) -> None:
    assert wait_for(github, fake.run(fake.refs["main"]), []).inconclusive


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "skipped"])
def test_a_job_that_does_not_pass_again_disproves(github: GithubClient, fake: FakeGithub, conclusion: str) -> None:
    run_id = fake.run(fake.refs["main"])
    fake.run(fake.refs["main"], run_id=run_id, conclusion="failure")
    fake.job(run_id, "lint", conclusion=conclusion)
    verification = wait_for(github, run_id, [])
    assert not verification.passed
    assert not verification.inconclusive
    assert verification.checks[0].detail == f"lint ended as {conclusion} in attempt 2"


def test_a_job_that_did_not_run_again_is_no_proof(github: GithubClient, fake: FakeGithub) -> None:
    run_id = fake.run(fake.refs["main"])
    fake.run(fake.refs["main"], run_id=run_id, conclusion="success")
    fake.job(run_id, "other", conclusion="success")
    assert not wait_for(github, run_id, []).passed


def test_the_failed_job_that_passes_in_the_new_attempt_is_the_proof(github: GithubClient, fake: FakeGithub) -> None:
    run_id = fake.run(fake.refs["main"])
    fake.run(fake.refs["main"], run_id=run_id, conclusion=None)
    fake.job(run_id, "lint", conclusion="success")
    fake.fail("GET", ".*/attempts/2", 502, times=2)

    def end() -> None:
        fake.runs[run_id][1].update(status="completed", conclusion="success")

    waits: list[float] = []
    assert wait_for(github, run_id, waits, end).passed
    assert len(waits) == 1


@pytest.fixture
def prove(tmp_path: Path) -> object:
    pipeline = LocalPipeline(RunStore(tmp_path / "runs"), default_step_timeout_seconds=30)

    def run(
        unfixed: dict[str, str], fixed: dict[str, str], *, workflow: str = WORKFLOW, job: JobOutcome | None = None
    ) -> Verification:
        for name, files in (("unfixed", unfixed), ("fixed", fixed)):
            for path, text in {PATH: workflow, **files}.items():
                (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name / path).write_text(text)
        told = RunOutcome(
            run_id="7",
            attempt=1,
            repository=REPOSITORY,
            workflow="CI",
            workflow_path=PATH,
            branch="main",
            commit="a" * 40,
            conclusion=Conclusion.FAILURE,
            jobs=(job or failed_job(),),
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            seconds=0.0,
        )
        return verify_patch_here(
            pipeline, run=told, fixed=tmp_path / "fixed", unfixed=tmp_path / "unfixed", commit="b" * 40
        )

    return run


BAD, GOOD, SETUP = {"shop.txt": "bad"}, {"shop.txt": "good"}, {"setup": ""}


def test_what_passes_without_the_patch_too_proves_nothing(prove) -> None:  # type: ignore[no-untyped-def]
    verification = prove({**GOOD, **SETUP}, {**GOOD, **SETUP})
    assert not verification.passed
    assert "even without the patch" in verification.inconclusive


def test_a_failure_in_another_step_is_this_machines_own(prove) -> None:  # type: ignore[no-untyped-def]
    verification = prove(BAD, GOOD)
    assert not verification.passed
    assert "this machine lacks what it needs" in verification.inconclusive


@pytest.mark.parametrize(
    "workflow",
    [
        WORKFLOW.replace("ubuntu-latest", "windows-latest"),
        WORKFLOW.replace("  lint:", "  renamed:"),
        "on: [\n",
        "on: push\njobs:\n  lint:\n    uses: ./.github/workflows/other.yml\n",
        "on: push\njobs:\n  lint:\n    runs-on: ubuntu-latest\n    steps: [{uses: actions/checkout@v4}]\n",
    ],
)
def test_a_job_that_cannot_run_here_proves_nothing(prove, workflow: str) -> None:  # type: ignore[no-untyped-def]
    verification = prove({**BAD, **SETUP}, {**GOOD, **SETUP}, workflow=workflow)
    assert not verification.passed
    assert verification.inconclusive


def test_a_patch_that_does_not_help_is_disproven(prove) -> None:  # type: ignore[no-untyped-def]
    verification = prove({**BAD, **SETUP}, {**BAD, **SETUP})
    assert not verification.passed
    assert verification.inconclusive == ""


def test_a_failure_that_the_patch_takes_away_is_proven_with_both_sides(prove) -> None:  # type: ignore[no-untyped-def]
    verification = prove({**BAD, **SETUP}, {**GOOD, **SETUP})
    assert verification.passed
    assert [check.name for check in verification.checks] == ["lint, without the fix", "lint"]
    assert "ended as failure in the step 'Lint'" in verification.checks[0].detail
