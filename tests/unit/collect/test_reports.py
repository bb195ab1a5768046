"""A scanner's report that a failed job left becomes evidence, whoever ran the job; other files are passed over."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.explain import explain_run
from tasks.clients.github import GithubClient
from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.collect.github_run import GithubRunReader
from tasks.collect.local_run import StoredLogs
from tasks.domain.failure_class import FailureClass
from tests.fakes.github import REPOSITORY, FakeGithub, serving
from tests.unit.clients.github.conftest import client_of

REPORT = json.dumps(
    {
        "SchemaVersion": 2,
        "ArtifactName": "shop",
        "Results": [
            {
                "Target": "requirements.txt",
                "Class": "lang-pkgs",
                "Type": "pip",
                "Vulnerabilities": [
                    {
                        "VulnerabilityID": "CVE-2026-1111",
                        "PkgName": "taxrates",
                        "InstalledVersion": "1.0.0",
                        "FixedVersion": "1.0.1",
                        "Severity": "CRITICAL",
                    }
                ],
            }
        ],
    }
)
WORKFLOW = """\
on: push
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - run: |
          mkdir -p out && ln -sf /etc/hostname out/link.json
          cp report.txt out/trivy.json
          echo '{"coverage": 1}' > out/coverage.json
          echo "reports: out/trivy.json out/coverage.json out/link.json ../outside.json old.json"
          exit EXIT
"""


def run_here(tmp_path: Path, code: int) -> tuple[RunStore, str]:
    checkout = tmp_path / "shop"
    (checkout / ".github" / "workflows").mkdir(parents=True)
    (checkout / ".github" / "workflows" / "ci.yml").write_text(WORKFLOW.replace("EXIT", str(code)))
    (checkout / "report.txt").write_text(REPORT)
    (checkout / "old.json").write_text(REPORT)
    (tmp_path / "outside.json").write_text(REPORT)
    import os

    os.utime(checkout / "old.json", (1_000_000_000, 1_000_000_000))
    store = RunStore(tmp_path / "runs")
    pipeline = LocalPipeline(store, default_step_timeout_seconds=30)
    run = pipeline.run(checkout, ".github/workflows/ci.yml", repository="local/shop", branch="main", commit="a" * 40)
    return store, run.run_id


def test_passing_job_keeps_no_report(tmp_path: Path) -> None:
    store, run_id = run_here(tmp_path, 0)
    assert store.read(run_id).outcome.jobs[0].report_refs == ()


def test_report_of_a_failed_job_outlives_the_checkout_and_is_the_diagnosis(tmp_path: Path) -> None:
    store, run_id = run_here(tmp_path, 1)
    refs = store.read(run_id).outcome.jobs[0].report_refs
    assert [ref.split("-", 2)[2] for ref in refs] == ["trivy.json", "coverage.json"]
    explained = explain_run(StoredLogs(store), run_id)
    assert [scan.vulnerabilities[0].package for scan in explained.evidence.scans] == ["taxrates"]
    assert explained.diagnosis.failure_class is FailureClass.SEC_TRIVY
    assert explained.diagnosis.culprit is not None
    assert explained.diagnosis.culprit.name == "taxrates"


@pytest.fixture
def fake() -> Iterator[FakeGithub]:
    with serving() as github:
        github.commit("main", {"a": "1"}, message="Begin")
        yield github


@pytest.fixture
def github(fake: FakeGithub) -> Iterator[GithubClient]:
    with client_of(fake) as client:
        yield client


def test_artifact_of_a_run_on_github_is_read_too(fake: FakeGithub, github: GithubClient) -> None:
    number = fake.run(fake.refs["main"])
    for name in ("scan", "other"):
        fake.job(number, name, log=b"##[error]Process completed with exit code 1.\n")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("trivy.json", REPORT)
    fake.artifact(number, "trivy-report", stream.getvalue())
    explained = explain_run(GithubRunReader(github, REPOSITORY), str(number))
    assert explained.diagnosis.failure_class is FailureClass.SEC_TRIVY
    assert len(explained.evidence.scans) == 1


def test_artifact_that_cannot_be_read_is_listed(fake: FakeGithub, github: GithubClient) -> None:
    number = fake.run(fake.refs["main"])
    fake.job(number, log=b"FAILED tests/test_a.py::test_b - assert 0\n##[error]Process completed with exit code 1.\n")
    fake.artifact(number, "scan", b"not a zip")
    explained = explain_run(GithubRunReader(github, REPOSITORY), str(number))
    assert explained.diagnosis.failure_class is FailureClass.CI_TEST_ASSERT
    assert any("no zip" in gap.reason for gap in explained.evidence.unreadable)
