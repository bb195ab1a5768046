"""The files of a fix are read as they are, whatever they hold."""

from pathlib import Path

import pytest

from tasks.clients.workspace import Workspace
from tasks.errors import NotFoundError, PermanentError
from tests.unit.clients.workspace.repositories import commit_files, git


def test_a_submodule_is_left_to_a_person(workspace: Workspace, repository: Path) -> None:
    base = workspace.head(repository, "main")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{base},sub")
    git(repository, "commit", "--quiet", "--message", "Add a submodule")
    with pytest.raises(PermanentError, match="is a submodule"):
        workspace.file_changes(repository, base=base, tip=workspace.head(repository, "main"))


def test_a_commit_that_is_absent_is_not_found(workspace: Workspace, repository: Path) -> None:
    with pytest.raises(NotFoundError):
        workspace.file_changes(repository, base="main", tip="a" * 40)


def test_a_fix_of_very_many_files_is_left_to_a_person(workspace: Workspace, repository: Path) -> None:
    base = workspace.head(repository, "main")
    tip = commit_files(repository, "Many", {f"many/{number}.txt": "x" for number in range(501)})
    with pytest.raises(PermanentError, match="501 files"):
        workspace.file_changes(repository, base=base, tip=tip)


def test_contents_and_modes_are_those_of_the_commit(workspace: Workspace, repository: Path) -> None:
    base = workspace.head(repository, "main")
    (repository / "bin").mkdir()
    (repository / "bin" / "raw").write_bytes(b"\xff\x00")
    (repository / "bin" / "raw").chmod(0o755)
    (repository / "keep.txt").unlink()
    (repository / "link").symlink_to("a.txt")
    tip = commit_files(repository, "Change", {"a.txt": "1\n"})
    (repository / "a.txt").write_text("unsaved\n")
    found = workspace.file_changes(repository, base=base, tip=tip)
    assert {change.path: (change.content, str(change.mode)) for change in found} == {
        "a.txt": (b"1\n", "100644"),
        "bin/raw": (b"\xff\x00", "100755"),
        "keep.txt": (None, "100644"),
        "link": (b"a.txt", "120000"),
    }
