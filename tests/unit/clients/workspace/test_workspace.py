"""The workspace keeps to its own worktrees and branches."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.clients.workspace import Workspace, stage_revert
from tasks.errors import ConflictError, NotFoundError, PermanentError
from tests.unit.clients.workspace.repositories import BRANCH, FIX, commit_files, git, make_fix

Git = Callable[..., str]


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch x", "-f", "a..b", "HEAD^{/x}", "a b", "", "x\n", "@{u}", "a.lock", "@"]
)
def test_a_ref_that_git_could_misread_is_refused(workspace: Workspace, repository: Path, name: str) -> None:
    with pytest.raises(PermanentError, match="is not a name"):
        workspace.head(repository, name)


@pytest.mark.parametrize("name", ["../outside", "/etc", "-x", "a/b", "", "."])
def test_a_worktree_name_that_leaves_the_folder_is_refused(workspace: Workspace, repository: Path, name: str) -> None:
    with pytest.raises(PermanentError):
        workspace.prepare(repository, name=name, commit=workspace.head(repository, "main"))
    with pytest.raises(PermanentError):
        workspace.remove(repository, name)


def test_what_is_no_repository_is_not_found(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no folder"):
        workspace.head(tmp_path / "absent", "main")
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotFoundError, match="not a git repository"):
        workspace.head(tmp_path / "plain", "main")


def test_a_branch_that_is_absent_is_not_found(workspace: Workspace, repository: Path) -> None:
    with pytest.raises(NotFoundError, match="no branch, tag or commit 'gone'"):
        workspace.head(repository, "gone")
    assert workspace.branch_tip(repository, "gone") is None


def test_git_variables_of_the_caller_do_not_lead_elsewhere(
    workspace: Workspace, repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert len(workspace.head(repository, "main")) == 40


def test_names_with_shell_metacharacters_are_only_names(workspace: Workspace, repository: Path, tmp_path: Path) -> None:
    branch = "a;touch${IFS}pwned;$(id)`id`|&"
    git(repository, "checkout", "--quiet", "-b", branch)
    tip = commit_files(repository, "$(touch pwned)", {"$(touch pwned);.txt": "x\n", "sub/a b'\".txt": "y\n"})
    assert workspace.head(repository, branch) == tip
    change = workspace.changes_between(repository, None, branch)[0]
    assert change.files == ("$(touch pwned);.txt", "sub/a b'\".txt")
    assert change.summary == "$(touch pwned)"
    folder = workspace.prepare(repository, name="inc-1", commit=tip)
    assert (folder / "$(touch pwned);.txt").read_text() == "x\n"
    assert not list(tmp_path.rglob("pwned"))


def test_changes_are_newest_first_and_name_their_files(workspace: Workspace, repository: Path) -> None:
    good = workspace.head(repository, "main")
    second = commit_files(repository, "Second", {"a.txt": "x\n"})
    third = commit_files(repository, "Third", {"b/c.txt": "x\n", "keep.txt": "y\n"})
    changes = workspace.changes_between(repository, good, "main")
    assert [(change.commit, change.files) for change in changes] == [
        (third, ("b/c.txt", "keep.txt")),
        (second, ("a.txt",)),
    ]
    assert [change.commit for change in workspace.changes_between(repository, None, "main")] == [third]
    assert len(workspace.changes_between(repository, good, "main", limit=1)) == 1
    assert changes[0].author == "Ada"


def test_a_summary_cannot_steer_a_terminal(workspace: Workspace, repository: Path) -> None:
    commit_files(repository, "Fine\x1b[2J\x1b]0;x\x07", {"a.txt": "x\n"})
    summary = workspace.changes_between(repository, None, "main")[0].summary
    assert summary.isprintable()
    assert summary.startswith("Fine")


def test_a_commit_has_healflows_name_and_trailers_and_runs_no_hook(workspace: Workspace, repository: Path) -> None:
    hook = repository / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    git(repository, "config", "commit.gpgsign", "true")
    start = workspace.head(repository, "main")
    tip = make_fix(workspace, repository)
    told = git(repository, "log", "-1", "--format=%an <%ae>%n%B", tip)
    assert told.startswith("Healflow <healflow@localhost>\nHeal it\n")
    assert "Healflow-Incident: inc-1\n" in told
    find = {"branch": BRANCH, "since": start, "trailer": "Healflow-Action"}
    assert workspace.find_trailer(repository, **find, value=FIX["Healflow-Action"]) == tip
    assert workspace.find_trailer(repository, **find, value="inc-1:1:other") is None


def test_a_folder_that_lost_its_git_file_never_leads_to_the_repository_around_it(
    workspace: Workspace, repository: Path
) -> None:
    inside = Workspace(repository / ".healflow/worktrees")
    before = workspace.head(repository, "main")
    folder = inside.prepare(repository, name="inc-1", commit=before, branch=BRANCH)
    (folder / ".git").unlink()
    (repository / "a.txt").write_text("unsaved\n")
    with pytest.raises(PermanentError, match="not a linked worktree"):
        inside.commit_all(folder, message="m", trailers=FIX)
    with pytest.raises(PermanentError, match="not a linked worktree"):
        inside.diff(folder)
    with pytest.raises(PermanentError, match="not a linked worktree"):
        inside.restore(folder)
    with pytest.raises(PermanentError, match="not a linked worktree"):
        stage_revert(folder, before)
    with pytest.raises(PermanentError, match="not a linked worktree"):
        inside.apply_patch(folder, "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-unsaved\n+x\n")
    assert inside.prepare(repository, name="inc-1", commit=before, branch=BRANCH) == folder
    assert workspace.head(repository, "main") == before
    assert (repository / "a.txt").read_text() == "unsaved\n"


def test_nothing_to_commit_is_an_error(workspace: Workspace, repository: Path) -> None:
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"), branch=BRANCH)
    with pytest.raises(PermanentError, match="nothing to commit"):
        workspace.commit_all(folder, message="Nothing", trailers=FIX)


def test_a_trailer_of_two_lines_is_refused(workspace: Workspace, repository: Path) -> None:
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"), branch=BRANCH)
    (folder / "new.txt").write_text("x\n")
    with pytest.raises(PermanentError, match="not one line"):
        workspace.commit_all(folder, message="m", trailers={"Healflow-Action": "a\nCo-authored-by: x"})


def test_a_diff_holds_new_files_and_applies_elsewhere(workspace: Workspace, repository: Path) -> None:
    commit = workspace.head(repository, "main")
    scratch = workspace.prepare(repository, name="scratch", commit=commit)
    (scratch / "a.txt").write_text("one\r\nzwei\n")
    (scratch / "new dir").mkdir()
    (scratch / "new dir/née.txt").write_text("no newline at end")
    patch = workspace.diff(scratch)
    workspace.restore(scratch)
    assert workspace.diff(scratch) == ""
    other = workspace.prepare(repository, name="other", commit=commit)
    workspace.apply_patch(other, patch)
    assert (other / "a.txt").read_bytes() == b"one\r\nzwei\n"
    assert (other / "new dir/née.txt").read_text() == "no newline at end"


def test_a_patch_that_does_not_apply_changes_nothing(workspace: Workspace, repository: Path) -> None:
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"))
    good = "--- a/keep.txt\n+++ b/keep.txt\n@@ -1 +1 @@\n-kept\n+changed\n"
    bad = "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-absent\n+x\n"
    with pytest.raises(ConflictError, match="does not apply"):
        workspace.apply_patch(folder, good + bad)
    assert (folder / "keep.txt").read_text() == "kept\n"


@pytest.mark.parametrize("target", ["../escaped.txt", ".git/config", "/escaped.txt"])
def test_a_patch_cannot_leave_the_worktree(workspace: Workspace, repository: Path, target: str) -> None:
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"))
    patch = (
        f"diff --git a/{target} b/{target}\nnew file mode 100644\n--- /dev/null\n+++ b/{target}\n@@ -0,0 +1 @@\n+x\n"
    )
    with pytest.raises(ConflictError):
        workspace.apply_patch(folder, patch)
    assert not (folder.parent / "escaped.txt").exists()


def test_an_interrupted_attempt_is_taken_over(workspace: Workspace, repository: Path) -> None:
    commit = workspace.head(repository, "main")
    folder = workspace.prepare(repository, name="inc-1", commit=commit, branch=BRANCH)
    (folder / "a.txt").write_text("done\n")
    tip = workspace.commit_all(folder, message="Heal it", trailers=FIX)
    (folder / "half.txt").write_text("half done")
    again = workspace.prepare(repository, name="inc-1", commit=commit, branch=BRANCH)
    assert again == folder
    assert workspace.head(again, "HEAD") == tip
    assert not (again / "half.txt").exists()


@pytest.mark.parametrize("gone", [True, False])
def test_a_worktree_whose_making_was_killed_is_made_again(workspace: Workspace, repository: Path, gone: bool) -> None:
    commit = workspace.head(repository, "main")
    folder = workspace.prepare(repository, name="inc-1", commit=commit, branch=BRANCH)
    git(repository, "worktree", "lock", "--reason", "initializing", str(folder))
    if gone:
        shutil.rmtree(folder)
    else:
        (folder / ".git").unlink()
    assert (workspace.prepare(repository, name="inc-1", commit=commit, branch=BRANCH) / "a.txt").exists()


def test_worktrees_are_made_and_removed_at_the_same_time(workspace: Workspace, repository: Path) -> None:
    commit = workspace.head(repository, "main")

    def heal(number: int) -> bool:
        folder = workspace.prepare(repository, name=f"inc-{number}", commit=commit, branch=f"healflow/inc-{number}")
        (folder / "a.txt").write_text(f"{number}\n")
        workspace.commit_all(folder, message="Heal it", trailers=FIX)
        workspace.remove(repository, f"inc-{number}")
        return workspace.branch_tip(repository, f"healflow/inc-{number}") != commit

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(heal, range(12)))


def test_debris_without_a_worktree_is_replaced(workspace: Workspace, repository: Path, tmp_path: Path) -> None:
    debris = tmp_path / "worktrees/inc-1/deep"
    debris.mkdir(parents=True)
    (debris / "x").write_text("x")
    debris.chmod(0o500)
    folder = workspace.prepare(repository, name="inc-1", commit=workspace.head(repository, "main"), branch=BRANCH)
    assert (folder / "a.txt").exists()
    assert not (folder / "deep").exists()


def test_a_detached_worktree_is_moved_to_the_commit_asked_for(workspace: Workspace, repository: Path) -> None:
    first = workspace.head(repository, "main")
    second = commit_files(repository, "Second", {"a.txt": "x\n"})
    workspace.prepare(repository, name="scratch", commit=first)
    folder = workspace.prepare(repository, name="scratch", commit=second)
    assert workspace.head(folder, "HEAD") == second


def test_a_branch_of_another_commit_is_not_taken_over(workspace: Workspace, repository: Path) -> None:
    first = workspace.head(repository, "main")
    git(repository, "branch", BRANCH, first)
    second = commit_files(repository, "Second", {"a.txt": "x\n"})
    with pytest.raises(ConflictError, match="does not come from"):
        workspace.prepare(repository, name="inc-1", commit=second, branch=BRANCH)


def test_only_branches_of_ours_are_made_and_deleted(workspace: Workspace, repository: Path) -> None:
    commit = workspace.head(repository, "main")
    with pytest.raises(PermanentError, match="not a branch of ours"):
        workspace.prepare(repository, name="inc-1", commit=commit, branch="feature")
    with pytest.raises(PermanentError, match="not a branch of ours"):
        workspace.delete_branch(repository, "main", expected_tip=commit)


def test_a_branch_that_moved_is_not_deleted(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    git(repository, "branch", "--force", BRANCH, "main")
    moved = workspace.branch_tip(repository, BRANCH)
    with pytest.raises(ConflictError, match="left as it is"):
        workspace.delete_branch(repository, BRANCH, expected_tip=tip)
    assert workspace.branch_tip(repository, BRANCH) == moved


def test_a_branch_that_the_user_checked_out_is_not_deleted(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    git(repository, "checkout", "--quiet", BRANCH)
    with pytest.raises(ConflictError, match="checked out"):
        workspace.delete_branch(repository, BRANCH, expected_tip=tip)


def test_a_branch_is_deleted_once_and_again_is_fine(workspace: Workspace, repository: Path) -> None:
    tip = make_fix(workspace, repository)
    workspace.delete_branch(repository, BRANCH, expected_tip=tip)
    workspace.delete_branch(repository, BRANCH, expected_tip=tip)
    assert workspace.branch_tip(repository, BRANCH) is None
