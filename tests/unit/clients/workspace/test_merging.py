"""A branch is moved only from where it was seen, and moved back without losing work."""

from pathlib import Path

import pytest

from tasks.clients.workspace import Workspace, stage_revert
from tasks.errors import ConflictError
from tests.unit.clients.workspace.repositories import BRANCH, FIX, commit_files, git, make_fix


def test_uncommitted_work_stops_a_merge(workspace: Workspace, repository: Path) -> None:
    before = workspace.head(repository, "main")
    tip = make_fix(workspace, repository)
    (repository / "keep.txt").write_text("unsaved thought\n")
    outcome = workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)
    assert not outcome.done
    assert "uncommitted work" in outcome.problem
    assert workspace.head(repository, "main") == before
    assert (repository / "keep.txt").read_text() == "unsaved thought\n"


def test_an_untracked_file_in_the_way_stops_a_merge(workspace: Workspace, repository: Path) -> None:
    commit_files(repository, "Ignore", {".gitignore": "local.txt\n"})
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"), branch=BRANCH)
    workspace.apply_patch(folder, "--- /dev/null\n+++ b/local.txt\n@@ -0,0 +1 @@\n+theirs\n")
    git(folder, "add", "--force", "local.txt")
    tip = workspace.commit_all(folder, message="m", trailers=FIX)
    (repository / "local.txt").write_text("mine, and ignored\n")
    outcome = workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)
    assert not outcome.done
    assert (repository / "local.txt").read_text() == "mine, and ignored\n"


def test_a_conflict_leaves_nothing_behind(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    mine = commit_files(repository, "Mine", {"a.txt": "one\nmine\nthree\n"})
    outcome = workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)
    assert not outcome.done
    assert "conflicts with main in a.txt" in outcome.problem
    assert workspace.head(repository, "main") == mine
    assert git(repository, "status", "--porcelain") == ""
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_branch_that_moved_since_it_was_proven_is_not_merged(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    git(repository, "branch", "--force", BRANCH, "main")
    with pytest.raises(ConflictError, match="not merged"):
        workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)


def test_a_branch_under_rebase_is_not_moved(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    before = workspace.head(repository, "main")
    git(repository, "checkout", "--quiet", "--detach")
    state = repository / ".git/rebase-merge"
    state.mkdir()
    (state / "head-name").write_text("refs/heads/main\n")
    outcome = workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)
    assert "being rebased" in outcome.problem
    assert workspace.head(repository, "main") == before


def test_a_clean_work_tree_is_fast_forwarded_and_taken_back(workspace: Workspace, repository: Path) -> None:
    before = workspace.head(repository, "main")
    tip = make_fix(workspace, repository)
    (repository / "untracked.txt").write_text("mine\n")
    outcome = workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)
    assert (outcome.done, outcome.before, outcome.after) == (True, before, tip)
    assert (repository / "a.txt").read_text() == "one\n2\nthree\n"
    undone = workspace.unmerge(repository, into="main", before=before, after=tip)
    assert (undone.done, undone.after) == (True, before)
    assert (repository / "a.txt").read_text() == "one\ntwo\nthree\n"
    assert (repository / "untracked.txt").read_text() == "mine\n"
    assert workspace.unmerge(repository, into="main", before=before, after=tip).done


def test_a_branch_that_is_checked_out_nowhere_is_merged_and_taken_back(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    before = commit_files(repository, "Mine", {"keep.txt": "mine\n"})
    git(repository, "checkout", "--quiet", "-b", "elsewhere")
    (repository / "a.txt").write_text("unsaved\n")
    outcome = workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip)
    assert outcome.done
    assert outcome.after is not None
    assert git(repository, "show", "main:a.txt") == "one\n2\nthree\n"
    assert (repository / "a.txt").read_text() == "unsaved\n"
    assert workspace.holds(repository, branch="main", commit=tip)
    assert workspace.unmerge(repository, into="main", before=before, after=outcome.after).done
    assert workspace.head(repository, "main") == before


def test_a_merge_with_later_work_on_top_is_reverted_not_reset(workspace: Workspace, repository: Path) -> None:
    before = workspace.head(repository, "main")
    tip = make_fix(workspace, repository)
    assert workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip).done
    later = commit_files(repository, "Later", {"keep.txt": "later\n"})
    outcome = workspace.unmerge(repository, into="main", before=before, after=tip)
    assert outcome.done
    assert workspace.holds(repository, branch="main", commit=later)
    assert (repository / "a.txt").read_text() == "one\ntwo\nthree\n"
    assert (repository / "keep.txt").read_text() == "later\n"


def test_a_published_merge_is_reverted_not_reset(workspace: Workspace, repository: Path) -> None:
    before = workspace.head(repository, "main")
    tip = make_fix(workspace, repository)
    assert workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip).done
    git(repository, "update-ref", "refs/remotes/origin/main", tip)
    assert workspace.unmerge(repository, into="main", before=before, after=tip).done
    assert workspace.holds(repository, branch="main", commit=tip)
    assert (repository / "a.txt").read_text() == "one\ntwo\nthree\n"


def test_a_merge_is_not_taken_back_under_uncommitted_work(workspace: Workspace, repository: Path) -> None:
    before = workspace.head(repository, "main")
    tip = make_fix(workspace, repository)
    assert workspace.merge(repository, branch=BRANCH, into="main", expected_tip=tip).done
    (repository / "a.txt").write_text("unsaved\n")
    outcome = workspace.unmerge(repository, into="main", before=before, after=tip)
    assert not outcome.done
    assert (repository / "a.txt").read_text() == "unsaved\n"


def test_a_revert_that_conflicts_leaves_the_worktree_clean(workspace: Workspace, repository: Path) -> None:
    breaking = commit_files(repository, "Break", {"a.txt": "one\nbroken\nthree\n"})
    commit_files(repository, "On top", {"a.txt": "one\nbroken more\nthree\n"})
    folder = workspace.prepare(repository, name="scratch", commit=workspace.head(repository, "main"))
    with pytest.raises(ConflictError, match="cannot be reverted"):
        stage_revert(folder, breaking)
    assert workspace.diff(folder) == ""


def test_a_reverted_commit_shows_as_a_diff(workspace: Workspace, repository: Path) -> None:
    breaking = commit_files(repository, "Break", {"a.txt": "one\nbroken\nthree\n"})
    folder = workspace.prepare(repository, name="scratch", commit=breaking)
    stage_revert(folder, breaking)
    assert "-broken\n+two\n" in workspace.diff(folder)
