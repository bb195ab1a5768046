"""A run on GitHub becomes the same evidence as one on this machine; what cannot be read is listed."""

from collections.abc import Iterator

import pytest

from tasks.clients.github import GithubClient
from tasks.collect.github_run import read_github_run
from tasks.diagnose import diagnose, signatures
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import RunRef
from tasks.errors import NotFoundError, PermanentError, TransientError
from tests.fakes.github import REPOSITORY, FakeGithub, serving
from tests.unit.clients.github.conftest import client_of

WORKFLOW = """\
on: push
jobs:
  unit:
    name: Test on ${{ matrix.python }}
    runs-on: ubuntu-latest
    strategy: {matrix: {python: ["3.11", "3.12"]}}
    steps:
      - uses: actions/checkout@v4
      - run: pip install .
      - name: Run the tests
        run: pytest -q
  extra:
    runs-on: ubuntu-latest
    continue-on-error: true
    steps: [{run: exit 1}]
"""
TIME = "2026-01-02T03:04:05.1234567Z "
LOG = (
    f"\ufeff{TIME}##[group]Run pytest -q\n{TIME}##[endgroup]\n"
    f"{TIME}FAILED tests/test_cart.py::test_total - assert 1 == 2\n"
    f"{TIME}##[error]Process completed with exit code 1.\n"
)
STEPS = (
    ("Set up job", "success"),
    ("Run actions/checkout@v4", "success"),
    ("Run pip install .", "success"),
    ("Run the tests", "failure"),
    ("Post Run actions/checkout@v4", "success"),
)
JOB = "Test on 3.11"


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {".github/workflows/ci.yml": WORKFLOW}, message="Begin")
        yield github


@pytest.fixture
def github(fake: FakeGithub) -> Iterator[GithubClient]:
    with client_of(fake) as client:
        yield client


def evidence_of(github: GithubClient, run_id: int, attempt: int | None = None) -> Evidence:
    run = RunRef(run_id=str(run_id), attempt=attempt or 1, workflow="CI")
    return read_github_run(github, REPOSITORY, run, signatures())


def failing(fake: FakeGithub, log: str | None = LOG, **more: object) -> int:
    number = fake.run(fake.refs["main"], minute=30)
    fake.job(number, JOB, log=log.encode() if log is not None else None, steps=STEPS, **more)  # type: ignore[arg-type]
    return number


def test_a_run_that_is_gone_is_an_error(github: GithubClient) -> None:
    with pytest.raises(NotFoundError):
        evidence_of(github, 5)


def test_a_run_that_goes_on_is_waited_for(github: GithubClient, fake: FakeGithub) -> None:
    with pytest.raises(TransientError):
        evidence_of(github, fake.run(fake.refs["main"], conclusion=None))


def test_a_check_of_another_app_is_told_and_not_guessed(github: GithubClient, fake: FakeGithub) -> None:
    run = RunRef(run_id="check-7", workflow="lint by others", url="https://others.example/7")
    with pytest.raises(PermanentError, match=r"run by another app.*others\.example"):
        read_github_run(github, REPOSITORY, run, signatures())
    assert fake.requests == []


def test_an_expired_log_is_listed_and_the_rest_is_read(github: GithubClient, fake: FakeGithub) -> None:
    number = failing(fake, log=None)
    fake.job(number, "Test on 3.12", log=LOG.encode(), steps=STEPS)
    evidence = evidence_of(github, number)
    (unreadable,) = evidence.unreadable
    assert unreadable.source == f"log:{JOB}"
    assert "has expired" in unreadable.reason
    assert any(line.source == "log:Test on 3.12" for line in evidence.lines)


def test_a_log_that_breaks_off_is_listed(github: GithubClient, fake: FakeGithub) -> None:
    number = failing(fake)
    fake.log_cut_bytes = 20
    assert [one.source for one in evidence_of(github, number).unreadable] == [f"log:{JOB}"]


def test_history_changes_and_remarks_that_cannot_be_read_are_listed(github: GithubClient, fake: FakeGithub) -> None:
    number = failing(fake)
    for path in (".*/workflows/7/runs", ".*/annotations", ".*/commits/[0-9a-f]{40}", ".*/contents/.*"):
        fake.fail("GET", path, 403, body={"message": "Resource not accessible by integration"}, times=9)
    evidence = evidence_of(github, number)
    commit = fake.refs["main"][:12]
    assert {one.source for one in evidence.unreadable} == {
        "workflow:.github/workflows/ci.yml",
        f"annotation:{JOB}",
        "history:CI",
        f"change:{commit}",
    }
    assert diagnose(evidence, repository=REPOSITORY, workflow="CI").failure_class is FailureClass.CI_TEST_ASSERT


def test_a_workflow_file_that_cannot_be_understood_is_listed(github: GithubClient, fake: FakeGithub) -> None:
    fake.commit("main", {".github/workflows/ci.yml": "on: [\n"})
    evidence = evidence_of(github, failing(fake))
    assert [one.source for one in evidence.unreadable] == ["workflow:.github/workflows/ci.yml"]
    assert evidence.jobs[0].key == JOB


def test_a_run_that_github_did_not_start_says_so(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"], conclusion="startup_failure")
    evidence = evidence_of(github, number)
    assert evidence.lines == ()
    assert "refused to start it" in evidence.unreadable[0].reason


def test_a_secret_in_log_or_remark_does_not_get_in(github: GithubClient, fake: FakeGithub) -> None:
    token = "ghp_" + "a1B2" * 9
    log = f"{TIME}FAILED tests/test_a.py::test_b - token={token}\n"
    remark = {"annotation_level": "failure", "message": f"fatal: could not read with {token}", "path": ".github"}
    evidence = evidence_of(github, failing(fake, log, annotations=(remark,)))
    assert evidence.lines
    assert token not in evidence.model_dump_json()


def test_remarks_that_the_log_has_already_are_not_quoted_twice(github: GithubClient, fake: FakeGithub) -> None:
    remarks = (
        {"annotation_level": "failure", "message": "Process completed with exit code 1.", "path": ".github"},
        {
            "annotation_level": "failure",
            "message": "FAILED tests/test_cart.py::test_total - assert 1 == 2",
            "path": ".github",
        },
        {"annotation_level": "warning", "message": "Node.js 16 is deprecated", "path": ".github"},
    )
    evidence = evidence_of(github, failing(fake, annotations=remarks))
    assert {line.source for line in evidence.lines} == {f"log:{JOB}"}


def test_another_fork_or_branch_gives_no_green_run(github: GithubClient, fake: FakeGithub) -> None:
    good = fake.refs["main"]
    fake.run(good, conclusion="success", minute=1, head_repository="mallory/shop")
    fake.run(good, conclusion="success", minute=2, branch="other")
    fake.commit("main", {"a": "1"})
    evidence = evidence_of(github, failing(fake))
    assert evidence.history.last_green_commit is None
    assert [change.commit for change in evidence.changes] == [fake.refs["main"]]


def test_nothing_is_written_while_reading(github: GithubClient, fake: FakeGithub) -> None:
    evidence_of(github, failing(fake))
    assert fake.writes == []


def test_a_lost_runner_is_known_from_the_remark_alone(github: GithubClient, fake: FakeGithub) -> None:
    remark = {
        "annotation_level": "failure",
        "message": "The hosted runner lost communication with the server. Anything in your workflow that terminates"
        " the runner process can cause this.",
        "path": ".github",
    }
    evidence = evidence_of(github, failing(fake, log=None, annotations=(remark,)))
    line = next(line for line in evidence.lines if line.signature)
    assert (line.source, line.line_number) == (f"annotation:{JOB}", None)
    diagnosis = diagnose(evidence, repository=REPOSITORY, workflow="CI")
    assert diagnosis.failure_class is FailureClass.CI_RUNNER_LOST


def test_a_failed_run_becomes_the_evidence_of_its_cause(github: GithubClient, fake: FakeGithub) -> None:
    good = fake.refs["main"]
    fake.run(good, conclusion="success", minute=1)
    fake.commit("main", {"cart.py": "1"}, message="Change the cart")
    evidence = evidence_of(github, failing(fake))
    diagnosis = diagnose(evidence, repository=REPOSITORY, workflow="CI")
    assert diagnosis.failure_class is FailureClass.CI_TEST_ASSERT
    assert evidence.unreadable == ()
    assert evidence.history.last_green_commit == good
    assert [(change.summary, change.files) for change in evidence.changes] == [("Change the cart", ("cart.py",))]


def test_jobs_carry_their_key_and_the_commands_of_their_steps(github: GithubClient, fake: FakeGithub) -> None:
    number = failing(fake)
    fake.job(number, "extra", steps=(("Run exit 1", "failure"),))
    unit, extra = evidence_of(github, number).jobs
    assert unit.key == "unit"
    assert [step.command for step in unit.steps] == [None, None, "pip install .", "pytest -q", None]
    assert unit.failed_step is not None
    assert unit.failed_step.command == "pytest -q"
    assert (extra.key, extra.allowed_to_fail) == ("extra", True)


def test_an_attempt_that_passed_on_the_same_commit_is_counted(github: GithubClient, fake: FakeGithub) -> None:
    number = failing(fake)
    fake.run(fake.refs["main"], run_id=number, conclusion="success", minute=40)
    history = evidence_of(github, number, attempt=1).history
    assert (history.passed_on_same_commit, history.failed_on_same_commit) == (1, 0)
