"""`healflow triage` of runs on GitHub, and the action that does it inside a workflow: nothing is ever written there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.fakes.github import REPOSITORY, TOKEN, FakeGithub, serving

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "triage"
TIME = "2026-01-02T03:04:05.1234567Z "
LOG = (
    f"\ufeff{TIME}##[group]Run pytest -q\n{TIME}##[endgroup]\n"
    f"{TIME}FAILED tests/test_cart.py::test_total - assert 1 == 2\n"
    f"{TIME}##[error]Process completed with exit code 1.\n"
).encode()


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {".github/workflows/ci.yml": "on: push\njobs: {}\n"}, message="Begin")
        yield github


def healflow(fake: FakeGithub, *arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HEALFLOW_GITHUB__API_URL": fake.api_url, "HEALFLOW_GITHUB__TOKEN": TOKEN}
    return subprocess.run(
        [sys.executable, "-m", "deployments.main", *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_run_that_is_not_there_says_so(fake: FakeGithub) -> None:
    done = healflow(fake, "triage", f"{REPOSITORY}#42")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "42" in done.stderr


def test_neither_or_both_of_source_and_pull_request_is_wrong_usage(fake: FakeGithub) -> None:
    assert healflow(fake, "triage").returncode == 2
    assert healflow(fake, "triage", "x.log", "--pr", "1").returncode == 2


def test_expired_log_is_listed_and_the_cause_unknown(fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    fake.job(number, log=None)
    found = json.loads(healflow(fake, "triage", f"{REPOSITORY}#{number}", "--json").stdout)
    assert found["diagnosis"]["failure_class"] == "unknown"
    assert any("expired" in gap["reason"] for gap in found["evidence"]["unreadable"])


@pytest.mark.parametrize("form", ["{}#{}", "https://github.example/{}/actions/runs/{}", "{}#{}/1"])
def test_failed_run_is_explained_however_it_is_named(fake: FakeGithub, form: str) -> None:
    number = fake.run(fake.refs["main"])
    fake.job(number, log=LOG)
    done = healflow(fake, "triage", form.format(REPOSITORY, number))
    assert done.returncode == 0, done.stderr
    assert "tests/test_cart.py::test_total" in done.stdout
    assert fake.writes == []


def test_run_without_a_failed_job_has_no_failure(fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"], conclusion="success")
    fake.job(number, conclusion="success", log=b"all is well\n")
    assert "No failure" in healflow(fake, "triage", f"{REPOSITORY}#{number}").stdout


def test_pull_request_leads_to_its_newest_failed_run(fake: FakeGithub, tmp_path: Path) -> None:
    commit = fake.commit("feature", {"a": "1"})
    older = fake.run(commit, branch="feature", minute=1)
    newest = fake.run(commit, branch="feature", minute=9)
    other = fake.run(commit, branch="feature", minute=5, workflow_id=8)
    for number in (older, newest, other):
        fake.job(number, log=LOG)
    opened = httpx.post(
        f"{fake.api_url}/repos/{REPOSITORY}/pulls",
        json={"title": "Feature", "body": "", "head": "feature", "base": "main"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    pull = str(opened.json()["number"])
    done = healflow(fake, "triage", "--pr", pull, "--repository", REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert f"{REPOSITORY}#{other}" in done.stderr
    assert any(f"/actions/runs/{newest}" in request.path for request in fake.requests)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert "--repository" in healflow(fake, "triage", "--pr", pull, cwd=tmp_path).stderr
    remote = ["git", "-C", str(tmp_path), "remote", "add", "origin", f"git@github.example:{REPOSITORY}.git"]
    subprocess.run(remote, check=True)
    assert healflow(fake, "triage", "--pr", pull, cwd=tmp_path).returncode == 0


def run_action(fake: FakeGithub, folder: Path, run: str) -> "subprocess.CompletedProcess[str]":
    """The action's step as GitHub starts it, its inputs at their defaults."""
    (step,) = yaml.safe_load((ACTION / "action.yml").read_text())["runs"]["steps"]
    given = {
        "${{ inputs.repository }}#${{ inputs.run-id }}": f"{REPOSITORY}#{run}",
        "${{ inputs.token }}": TOKEN,
        "${{ github.api_url }}": fake.api_url,
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={
            "PATH": os.environ["PATH"],
            "HEALFLOW_PYTHON": sys.executable,
            "GITHUB_ACTION_PATH": str(ACTION),
            "RUNNER_TEMP": str(folder),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_OUTPUT": str(folder / "output"),
            **{name: given[value] for name, value in step["env"].items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_action_explains_the_run_that_it_is_part_of(fake: FakeGithub, tmp_path: Path) -> None:
    number = fake.run(fake.refs["main"], conclusion=None)
    fake.job(number, log=LOG)
    fake.job(number, "triage", conclusion=None)
    done = run_action(fake, tmp_path, str(number))
    assert done.returncode == 0, done.stderr
    assert "ci.test.assert" in (tmp_path / "summary.md").read_text()
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert (outputs["failure-class"], outputs["transient"]) == ("ci.test.assert", "false")
    assert json.loads((Path(outputs["folder"]) / "triage.sarif").read_text())["version"] == "2.1.0"
    assert fake.writes == []


def test_action_without_the_permission_fails_and_says_which(fake: FakeGithub, tmp_path: Path) -> None:
    number = fake.run(fake.refs["main"])
    fake.fail("GET", f".*/actions/runs/{number}.*", 403, body={"message": "Resource not accessible by integration"})
    done = run_action(fake, tmp_path, str(number))
    assert done.returncode == 1
    assert "actions: read" in done.stderr
    assert not (tmp_path / "summary.md").exists()
