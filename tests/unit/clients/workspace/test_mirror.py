"""Copies of repositories: refusals first; what is fetched is the branch and commit that were asked for."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from tasks.clients.workspace import Mirrors, Workspace
from tasks.clients.workspace import git as git_module
from tasks.clients.workspace import mirror as mirror_module
from tasks.domain.code_host import GitRemote
from tasks.errors import NotFoundError, PermanentError, TransientError
from tests.unit.clients.workspace.repositories import commit_files, git

NAME = "acme/shop"


@contextmanager
def serving_unauthorized() -> Iterator[str]:
    """A git host that takes no credentials."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "mirrors")


@pytest.fixture
def remote(repository: Path) -> GitRemote:
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    return GitRemote(url=repository.as_uri())


@pytest.mark.parametrize("name", ["shop", "../shop", "acme/..", "a/b/c", "acme/.git", "/etc", "a b/c"])
def test_a_name_that_leaves_the_folder_is_refused(
    mirrors: Mirrors, remote: GitRemote, tmp_path: Path, name: str
) -> None:
    with pytest.raises(PermanentError, match="is not a repository"):
        mirrors.fetch(remote, name, branch="main", commit="a" * 40)
    assert not (tmp_path / "mirrors").exists()


@pytest.mark.parametrize("url", ["ext::sh -c id", "ssh://host/x.git", "/etc", "-x", "git://host/x"])
def test_only_plain_transports_are_used(mirrors: Mirrors, url: str) -> None:
    with pytest.raises(PermanentError, match="fetched by https"):
        mirrors.fetch(GitRemote(url=url), NAME, branch="main", commit="a" * 40)


@pytest.mark.parametrize("branch", ["healflow/inc-1", "--upload-pack=id", "a..b", ""])
def test_a_branch_of_ours_or_an_odd_name_is_not_fetched(mirrors: Mirrors, remote: GitRemote, branch: str) -> None:
    with pytest.raises(PermanentError):
        mirrors.fetch(remote, NAME, branch=branch, commit="a" * 40)


def test_a_commit_that_is_gone_is_not_found(mirrors: Mirrors, remote: GitRemote) -> None:
    with pytest.raises(NotFoundError, match="does not hold the commit"):
        mirrors.fetch(remote, NAME, branch="main", commit="a" * 40)


def test_a_remote_that_is_absent_is_an_error(mirrors: Mirrors, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be fetched"):
        mirrors.fetch(GitRemote(url=(tmp_path / "no").as_uri()), NAME, branch="main", commit="a" * 40)


def test_a_remote_that_is_down_is_transient(mirrors: Mirrors) -> None:
    with pytest.raises(TransientError, match="cannot be fetched"):
        mirrors.fetch(GitRemote(url="http://127.0.0.1:9/x.git"), NAME, branch="main", commit="a" * 40)


def test_credentials_are_in_no_argument_and_go_to_their_host_alone(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[list[str], dict[str, str]]] = []
    run = subprocess.run

    def spy(command: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
        seen.append((command, more["env"]))  # type: ignore[arg-type]
        return run(command, **more)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(git_module.subprocess, "run", spy)
    remote = GitRemote(url="http://127.0.0.1:9/x.git", authorization=SecretStr("Basic c2VjcmV0"))
    with pytest.raises(TransientError) as told:
        mirrors.fetch(remote, NAME, branch="main", commit="a" * 40)
    assert not any("c2VjcmV0" in part for command, _ in seen for part in command)
    fetches = [env for command, env in seen if "fetch" in command]
    assert [env["GIT_CONFIG_KEY_0"] for env in fetches] == ["http.http://127.0.0.1:9/.extraHeader"]
    assert "c2VjcmV0" not in str(told.value)
    assert not any("c2VjcmV0" in path.read_text(errors="replace") for path in tmp_path.rglob("config"))


def test_the_credentials_of_others_are_not_tried_where_ours_are_refused(
    mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    helper, asked = tmp_path / "helper", tmp_path / "asked"
    helper.write_text(f"#!/bin/sh\ntouch {asked}\necho username=mallory\necho password=x\n")
    helper.chmod(0o755)
    (tmp_path / "gitconfig").write_text(f"[credential]\n\thelper = {helper}\n[core]\n\taskPass = {helper}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text((tmp_path / "gitconfig").read_text())
    with serving_unauthorized() as url, pytest.raises(PermanentError, match="contents: read"):
        mirrors.fetch(GitRemote(url=f"{url}/x.git"), NAME, branch="main", commit="a" * 40)
    assert not asked.exists()


def test_a_branch_that_was_deleted_is_gone_here_too(mirrors: Mirrors, remote: GitRemote, repository: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "feature")
    tip = commit_files(repository, "Feature", {"f": "1"})
    workspace = Workspace(repository.parent / "w")
    path = mirrors.fetch(remote, NAME, branch="feature", commit=tip)
    assert workspace.branch_tip(path, "feature") == tip
    git(repository, "checkout", "--quiet", "main")
    git(repository, "branch", "-D", "feature")
    assert workspace.branch_tip(mirrors.fetch(remote, NAME, branch="feature", commit=tip), "feature") is None


def test_a_worktree_of_the_copy_holds_the_commit_and_our_branch_survives_a_fetch(
    mirrors: Mirrors, remote: GitRemote, repository: Path, tmp_path: Path
) -> None:
    tip = commit_files(repository, "Second", {"a.txt": "second\n"})
    path = mirrors.fetch(remote, NAME, branch="main", commit=tip)
    assert mirrors.known(NAME, tip) == path
    workspace = Workspace(tmp_path / "worktrees")
    folder = workspace.prepare(path, name="inc-1", commit=tip, branch="healflow/inc-1")
    assert (folder / "a.txt").read_text() == "second\n"
    (folder / "a.txt").write_text("fixed\n")
    ours = workspace.commit_all(folder, message="Fix", trailers={"Healflow-Incident": "inc-1"})
    later = commit_files(repository, "Third", {"b.txt": "x"})
    mirrors.fetch(remote, NAME, branch="main", commit=tip)
    assert workspace.branch_tip(path, "main") == later
    assert workspace.branch_tip(path, "healflow/inc-1") == ours
    assert mirrors.known(NAME, "b" * 40) is None
    assert mirrors.known("acme/other", tip) is None


def test_a_commit_on_no_branch_is_fetched_by_its_name(mirrors: Mirrors, remote: GitRemote, repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    tip = commit_files(repository, "Loose", {"l": "1"})
    git(repository, "checkout", "--quiet", "main")
    assert mirrors.known(NAME, tip) is None
    mirrors.fetch(remote, NAME, branch="gone", commit=tip)
    assert mirrors.known(NAME, tip) is not None


def test_old_history_is_left_behind(
    mirrors: Mirrors, remote: GitRemote, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "DEPTH", 2)
    for number in range(4):
        tip = commit_files(repository, f"Commit {number}", {"n": str(number)})
    path = mirrors.fetch(remote, NAME, branch="main", commit=tip)
    assert git(path, "rev-list", "--count", "main").strip() == "2"
