"""Only reports are read out of artifacts, bounded, and never with our credentials at the storage."""

import io
import zipfile

import pytest

from tasks.clients.github import GithubClient, artifacts
from tasks.errors import PermanentError
from tests.fakes.github import REPOSITORY, FakeGithub


def packed(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return stream.getvalue()


def test_expired_unlikely_and_huge_artifacts_are_not_opened(
    github: GithubClient, fake: FakeGithub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "MAX_ARTIFACT_BYTES", 500)
    number = fake.run(fake.refs["main"])
    fake.artifact(number, "trivy-report", packed(a__json=b"{}"), expired=True)
    fake.artifact(number, "coverage-html", packed(a__json=b"{}"))
    fake.artifact(number, "scan", b"x" * 501)
    assert list(github.artifacts.reports(REPOSITORY, str(number))) == []
    assert fake.log_requests == []


def test_what_is_no_zip_is_said(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    fake.artifact(number, "scan", b"not a zip")
    with pytest.raises(PermanentError, match="no zip"):
        list(github.artifacts.reports(REPOSITORY, str(number)))


def test_member_that_swells_is_passed_over(
    github: GithubClient, fake: FakeGithub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "MAX_MEMBER_BYTES", 1000)
    number = fake.run(fake.refs["main"])
    fake.artifact(number, "scan", packed(bomb__json=b"0" * 100_000, fine__json=b"{}"))
    assert list(github.artifacts.reports(REPOSITORY, str(number))) == [("scan/fine.json", b"{}")]


def test_reports_are_read_without_our_token(github: GithubClient, fake: FakeGithub) -> None:
    number = fake.run(fake.refs["main"])
    fake.artifact(number, "security", packed(trivy__json=b"[1]", notes__txt=b"x", deep__sarif=b"{}"))
    found = dict(github.artifacts.reports(REPOSITORY, str(number)))
    assert found == {"security/trivy.json": b"[1]", "security/deep.sarif": b"{}"}
    assert all("authorization" not in request.headers for request in fake.log_requests)
