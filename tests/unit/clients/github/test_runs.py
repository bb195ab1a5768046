"""Runs are read with their attempts, a fork's are told apart, and failed jobs are re-run at most once."""

from datetime import UTC, datetime

import pytest

from tasks.clients.github import GithubClient, UnknownOutcomeError
from tasks.domain.incident import Signal
from tasks.domain.pipeline import Conclusion
from tasks.errors import ConflictError, NotFoundError, TransientError
from tasks.intake import parse_github
from tests.fakes.github import REPOSITORY, FakeGithub


def test_a_running_run_has_no_outcome_yet(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"], conclusion=None)
    with pytest.raises(TransientError, match="still in_progress"):
        github.runs.outcome(github.runs.read(REPOSITORY, str(number)))


@pytest.mark.parametrize("head", ["mallory/shop", None])
def test_a_run_of_a_fork_is_told_apart(github: GithubClient, fake: FakeGithub, head: str | None) -> None:
    number = fake.run(fake.refs["main"], head_repository=head)
    assert github.runs.read(REPOSITORY, str(number)).from_fork


def test_our_own_run_is_no_fork(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"], head_repository="Acme/Shop")
    assert not github.runs.read(REPOSITORY, str(number)).from_fork


def test_a_run_that_was_started_again_is_not_started_once_more(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    run = github.runs.read(REPOSITORY, str(number))
    fake.run(fake.refs["main"], run_id=number)
    with pytest.raises(ConflictError, match="someone has started it again"):
        github.runs.rerun_failed_jobs(run)
    assert fake.writes == []


def test_a_rerun_whose_answer_was_lost_is_found_and_not_repeated(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    run = github.runs.read(REPOSITORY, str(number))
    fake.fail("POST", ".*rerun-failed-jobs", 502, after=True)
    assert github.runs.rerun_failed_jobs(run) == 2
    assert len(fake.writes) == 1
    assert len(fake.runs[number]) == 2


def test_a_rerun_that_did_not_happen_is_said_and_not_repeated(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    run = github.runs.read(REPOSITORY, str(number))
    fake.fail("POST", ".*rerun-failed-jobs", 502)
    with pytest.raises(UnknownOutcomeError):
        github.runs.rerun_failed_jobs(run)
    assert len(fake.writes) == 1


def test_a_workflow_file_that_is_absent_is_not_found(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    with pytest.raises(NotFoundError):
        github.runs.workflow_text(github.runs.read(REPOSITORY, str(number)))


def test_failed_jobs_are_run_again(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    assert github.runs.rerun_failed_jobs(github.runs.read(REPOSITORY, str(number))) == 2
    assert github.runs.read(REPOSITORY, str(number)).status == "queued"


def test_an_attempt_is_read_with_its_own_jobs_and_steps(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    fake.job(number, "test (3.11)")
    fake.job(number, "lint", conclusion="success", steps=(("Run ruff", "success"),))
    fake.job(number, "later", conclusion=None)
    fake.run(fake.refs["main"], run_id=number, conclusion="success")
    first = github.runs.outcome(github.runs.read(REPOSITORY, str(number), attempt=1))
    assert [job.name for job in first.jobs] == ["test (3.11)", "lint"]
    assert [job.key for job in first.jobs] == ["test", "lint"]
    assert [job.name for job in first.failed_jobs] == ["test (3.11)"]
    failed = first.failed_jobs[0].failed_step
    assert failed is not None
    assert (failed.name, failed.number, failed.seconds) == ("Run pytest", 2, 9.0)
    assert first.attempt == 1
    assert first.seconds == 40.0
    assert github.runs.read(REPOSITORY, str(number)).attempt == 2


def test_jobs_are_read_over_all_pages(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    for leg in range(230):
        fake.job(number, f"test ({leg})")
    run = github.runs.read(REPOSITORY, str(number))
    assert len({job.log_ref for job in github.runs.jobs(run)}) == 230


def test_neighbours_are_the_other_attempts_and_runs_of_the_same_branch(github: GithubClient, fake: FakeGithub) -> None:
    commit = fake.refs["main"]
    green = fake.run(commit, conclusion="success", minute=1)
    fake.run(commit, conclusion="success", minute=2, branch="other")
    fake.run(commit, conclusion="success", minute=2, workflow_id=8)
    fake.run(commit, conclusion="success", minute=3, head_repository="mallory/shop")
    failed = fake.run(commit, minute=4)
    fake.run(commit, run_id=failed, minute=5)
    fake.run(commit, run_id=failed, minute=6, conclusion="success")
    fake.run(commit, conclusion=None, minute=7)
    run = github.runs.read(REPOSITORY, str(failed), attempt=2)
    found = [(other.run_id, other.attempt, other.conclusion) for other in github.runs.neighbours(run)]
    assert found == [
        (str(failed), 3, Conclusion.SUCCESS),
        (str(failed), 1, Conclusion.FAILURE),
        (str(green), 1, Conclusion.SUCCESS),
    ]


def test_annotations_and_the_workflow_file_are_read(github: GithubClient, fake: FakeGithub) -> None:
    commit = fake.commit("main", {".github/workflows/ci.yml": "on: push\n"})
    number = fake.run(commit)
    remark = {"annotation_level": "failure", "message": "boom", "path": "a.py", "start_line": 3}
    fake.job(number, annotations=(remark, {"annotation_level": "odd", "message": "m", "start_line": None}))
    run = github.runs.read(REPOSITORY, str(number))
    first, second = github.runs.annotations(REPOSITORY, github.runs.jobs(run)[0])
    assert (first.level, first.message, first.path, first.line) == ("failure", "boom", "a.py", 3)
    assert second.level == "notice"
    assert github.runs.workflow_text(run) == b"on: push\n"


def test_failed_runs_are_read_as_their_webhook_tells_them(github: GithubClient, fake: FakeGithub) -> None:
    tip = fake.refs["main"]
    fake.run(tip, minute=1)
    failed = fake.run(tip, minute=3)
    fake.run(tip, minute=4, conclusion="success")
    fake.run(tip, minute=5, conclusion=None)
    again = fake.run(tip, minute=6)
    fake.run(tip, run_id=again, minute=7, conclusion="timed_out")
    found = github.runs.failed_since(REPOSITORY, datetime(2026, 1, 2, 10, 2, tzinfo=UTC))
    assert [(one.run_id, one.attempt) for one in found] == [(str(failed), 1), (str(again), 2)]
    told = parse_github("workflow_run", "sweep:1", found[0].body, now=datetime(2026, 1, 2, 11, tzinfo=UTC))
    assert isinstance(told, Signal)
    assert (told.repository, told.commit, told.branch) == (REPOSITORY, tip, "main")
    assert told.run is not None
    assert told.run.run_id == str(failed)
