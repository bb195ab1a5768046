"""The client speaks as GitHub's official description says, and understands the answers that it gives as examples."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from tasks.clients.github import GithubClient
from tasks.clients.github.connection import Connection
from tasks.domain.code_host import CommitStatus, FileChange, StatusState
from tasks.errors import PermanentError
from tasks.settings import GithubSettings
from tests.contracts.github_description import OPERATIONS, Unavailable, cache_folder, cut, install, mock_server
from tests.fakes.github import REPOSITORY, FakeGithub, Request, serving
from tests.unit.clients.github.conftest import client_of

BRANCH = "healflow/inc-1"
COMMIT = "a" * 40
HEADERS = {"authorization": "token t", "accept": "application/json"}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def description(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        whole = install(cache_folder())
    except Unavailable as reason:
        pytest.skip(f"GitHub's description is not here: {reason}")
    path = tmp_path_factory.mktemp("contract") / "github.json"
    path.write_text(json.dumps(cut(json.loads(whole.read_text()))))
    return path


@pytest.fixture(scope="session")
def mock(description: Path) -> Iterator[str]:
    try:
        with mock_server(cache_folder(), description, description.with_suffix(".log")) as url:
            yield url
    except Unavailable as reason:
        pytest.skip(f"no mock server: {reason}")


@pytest.fixture
def official(mock: str) -> Iterator[GithubClient]:
    settings = GithubSettings(api_url=mock, token=SecretStr("t"), seconds_between_writes=0.0)
    connection = Connection(settings, tries=0, max_wait_seconds=0.0)
    with GithubClient(connection) as client:
        yield client


def everything(fake: FakeGithub) -> list[Request]:
    """Every kind of request that the client sends, as the fake received it."""
    commit = fake.commit("main", {".github/workflows/ci.yml": "on: push\n", "b": "1"})
    number = fake.run(commit)
    job = fake.job(number, log=b"x\n")
    with client_of(fake) as github:
        run = github.runs.read(REPOSITORY, str(number))
        first = github.runs.outcome(run).jobs[0]
        github.runs.annotations(REPOSITORY, first)
        github.runs.of_commit(REPOSITORY, commit)
        fake.artifact(number, "trivy-report", b"no zip")
        with pytest.raises(PermanentError):
            list(github.artifacts.reports(REPOSITORY, str(number)))
        github.runs.neighbours(run)
        github.runs.workflow_text(run)
        github.runs.rerun_failed_jobs(run)
        github.runs.read(REPOSITORY, str(number), attempt=1)
        github.logs.address(REPOSITORY, str(job))
        github.changes.between(REPOSITORY, fake.commits[commit]["parents"][0], commit)
        changes = (FileChange(path="b", content=b"2"), FileChange(path="c", content=b"3"))
        tip = github.branches.commit_files(
            REPOSITORY, branch=BRANCH, base_commit=commit, changes=changes, message="m", at=NOW
        )
        tip = github.branches.commit_files(
            REPOSITORY, branch=BRANCH, base_commit=commit, changes=changes[:1], message="m", at=NOW, expected_tip=tip
        )
        for title in ("one", "two"):
            pull = github.pulls.open_or_update(
                REPOSITORY, head_branch=BRANCH, base_branch="main", title=title, body="b"
            )
        github.pulls.of_run(run)
        for text in ("one", "two"):
            comment = github.comments.post(REPOSITORY, pull.number, "triage", text)
        github.comments.restore(REPOSITORY, comment.comment_id, None)
        github.comments.reply(REPOSITORY, f"commits/{commit}", "answer-1", "recorded")
        github.people.may_write(REPOSITORY, "ada-l")
        github.pulls.close(REPOSITORY, pull.number)
        github.statuses.mark(
            REPOSITORY, commit, CommitStatus(context="c", state=StatusState.PENDING, target_url="https://h.example")
        )
        github.branches.restore(REPOSITORY, BRANCH, expected_tip=tip, to=None)
    return fake.requests


@pytest.fixture(scope="session")
def sent() -> list[Request]:
    with serving() as fake:
        fake.commit("main", {"a": "1"})
        return everything(fake)


def _operation(request: Request) -> tuple[str, str]:
    def matches(path: str) -> bool:
        slashes = path.endswith(("{ref}", "{path}", "{branch}")) and "/commits/" not in path
        last = re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{\w+\}$", ".+", path) if slashes else path)
        return re.fullmatch(last.replace(".", r"\.").replace(r"\.+", ".+"), request.path) is not None

    found = [(method, path) for method, path in OPERATIONS if method == request.method.lower() and matches(path)]
    assert found, f"{request.method} {request.path} is not in the description"
    return max(found, key=lambda one: len(one[1]))


def test_every_operation_but_the_apps_own_is_exercised(sent: list[Request]) -> None:
    assert {_operation(request) for request in sent} == {one for one in OPERATIONS if one != ("get", "/app")}


def test_every_request_is_one_that_github_describes(mock: str, sent: list[Request]) -> None:
    refused = []
    with httpx.Client(base_url=mock, trust_env=False, headers=HEADERS) as client:
        for request in sent:
            method, template = _operation(request)
            path = _escaped(request.path, template)
            answer = client.request(method, path, params=request.query, json=request.body)
            if answer.status_code >= 400:
                refused.append(f"{method} {path} {request.body}: {answer.status_code} {answer.text[:500]}")
    assert refused == []


def _escaped(path: str, template: str) -> str:
    """One parameter is one segment for the mock server; GitHub takes the slashes of a ref as they are."""
    start = template.rpartition("{")[0]
    if "{" not in template or not template.endswith("}"):
        return path
    segments = start.count("/")
    parts = path.split("/")
    return "/".join([*parts[:segments], quote("/".join(parts[segments:]), safe="")])


def test_every_parameter_is_one_that_github_describes(description: Path, sent: list[Request]) -> None:
    document = json.loads(description.read_text())
    unknown = []
    for request in sent:
        method, path = _operation(request)
        told = document["paths"][path][method]
        names = {_resolved(document, one)["name"] for one in told.get("parameters", [])}
        unknown += [f"{path}?{name}" for name in request.query if name not in names]
        if request.body:
            schema = _resolved(document, told["requestBody"]["content"]["application/json"]["schema"])
            known = schema.get("properties", {})
            unknown += [f"{method} {path}: {name}" for name in request.body if name not in known]
    assert sorted(set(unknown)) == []


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        kind, name = part["$ref"].removeprefix("#/components/").split("/")
        part = document["components"][kind][name]
    return part


def test_a_ref_is_sent_with_its_slashes(description: Path, mock: str) -> None:
    """The mock server cannot take such an address, but the description says that GitHub does."""
    document = json.loads(description.read_text())
    for method, path in (
        ("get", "/repos/{owner}/{repo}/git/ref/{ref}"),
        ("patch", "/repos/{owner}/{repo}/git/refs/{ref}"),
    ):
        parameters = [_resolved(document, one) for one in document["paths"][path][method]["parameters"]]
        assert next(one for one in parameters if one["name"] == "ref")["x-multi-segment"] is True
    answer = httpx.get(f"{mock}/repos/octocat/hello/git/ref/heads%2Ffeature", headers=HEADERS, trust_env=False)
    assert len(answer.json()["object"]["sha"]) == 40


def test_the_examples_of_runs_are_understood(official: GithubClient) -> None:
    run = official.runs.read("octocat/hello", "42")
    assert run.repository.count("/") == 1
    assert official.runs.read("octocat/hello", "42", attempt=1).workflow_id > 0
    jobs = official.runs.jobs(run)
    assert jobs
    assert all(step.name for job in jobs for step in job.steps)
    assert official.runs.annotations("octocat/hello", jobs[0])
    assert isinstance(official.runs.neighbours(run), tuple)
    assert official.runs.of_commit("octocat/hello", COMMIT)


def test_the_examples_of_commits_are_understood(official: GithubClient) -> None:
    changes = official.changes.between("octocat/hello", COMMIT, "b" * 40)
    assert changes
    assert all(change.files for change in changes)
    assert official.changes.between("octocat/hello", None, COMMIT)
    assert official.logs.address("octocat/hello", "42").startswith("https://")


def test_the_examples_of_branches_and_pull_requests_are_understood(official: GithubClient) -> None:
    assert official.branches.default("octocat/hello")
    known = official.pulls.read("octocat/hello", 7)
    assert known.base_branch
    assert official.pulls.find("octocat/hello", known.head_branch) is not None


def test_the_examples_of_comments_and_statuses_are_understood(official: GithubClient) -> None:
    assert official.comments.read("octocat/hello", 7) is not None
    assert official.comments.find("octocat/hello", 7, "triage") is None
    assert official.statuses.newest("octocat/hello", COMMIT, "continuous-integration/jenkins") is not None
