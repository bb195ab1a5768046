"""A repository with one commit, and the workspace under test."""

from pathlib import Path

import pytest

from tasks.clients.workspace import Workspace
from tests.unit.clients.workspace.repositories import commit_files, git


@pytest.fixture(autouse=True)
def _no_user_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop; touch pwned"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    commit_files(root, "Open the shop", {"a.txt": "one\ntwo\nthree\n", "keep.txt": "kept\n"})
    return root


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "worktrees")
