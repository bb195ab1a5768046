"""Moves a branch of the user's: merges a proven fix into it, and takes the merge back.

What has to be computed is computed in a worktree of its own. Where the branch is checked out, the user's work tree is
fast-forwarded only if it has no uncommitted change that git would have to touch; otherwise the answer says why not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.clients.workspace.git import find_commit, git, is_ancestor, try_git
from tasks.domain.outcome import MergeOutcome
from tasks.errors import ConflictError

_REBASING = ("rebase-merge/head-name", "rebase-apply/head-name")


def tip_of(repository: Path, branch: str) -> str | None:
    """The commit at the end of a branch, `None` when there is no such branch."""
    end = try_git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/heads/{branch}^{{commit}}")
    return end.output.strip() if end.succeeded else None


def merge_commit(repository: Path, *, tip: str, branch: str, into: str) -> MergeOutcome:
    """Merge the commit `tip` of `branch` into the branch `into`."""
    before = tip_of(repository, into)
    if before is None:
        return MergeOutcome(done=False, problem=f"there is no branch {into!r}")
    if is_ancestor(repository, tip, before):
        return MergeOutcome(done=True, before=before, after=before)
    if is_ancestor(repository, before, tip):
        return move_branch(repository, into, before=before, after=tip)
    with _scratch(repository, before) as folder:
        message = f"Merge branch '{branch}' into {into}"
        end = try_git(folder, "merge", "--no-ff", "--no-edit", "--no-verify", "--no-autostash", "-m", message, tip)
        if not end.succeeded:
            return MergeOutcome(
                done=False, before=before, problem=f"{branch} conflicts with {into}{_conflicts(folder)}"
            )
        after = git(folder, "rev-parse", "HEAD").strip()
    return move_branch(repository, into, before=before, after=after)


def unmerge_commit(repository: Path, *, into: str, before: str, after: str) -> MergeOutcome:
    """Take the move of `into` from `before` to `after` back: the branch is reset if nothing came after and nothing was
    published, otherwise what the merge brought is reverted by a new commit."""
    now = tip_of(repository, into)
    if now is None:
        return MergeOutcome(done=False, problem=f"there is no branch {into!r}")
    if now == before:
        return MergeOutcome(done=True, before=now, after=now)
    if now == after and not _published(repository, after):
        return move_branch(repository, into, before=now, after=before)
    if not is_ancestor(repository, after, now):
        return MergeOutcome(done=False, before=now, problem=f"{into} no longer holds the merge {after[:12]}")
    with _scratch(repository, now) as folder:
        parents = git(folder, "rev-list", "--parents", "--max-count=1", after).split()[1:]
        what = ("--mainline", "1", after) if len(parents) > 1 else (f"{before}..{after}",)
        end = try_git(folder, "revert", "--no-edit", *what)
        if not end.succeeded:
            return MergeOutcome(done=False, before=now, problem=f"later commits on {into} changed the same lines")
        reverted = git(folder, "rev-parse", "HEAD").strip()
    return move_branch(repository, into, before=now, after=reverted)


def reverts(repository: Path, tip: str, *, before: str, after: str) -> bool:
    """Whether the files that the move from `before` to `after` changed are at `tip` without that change."""
    change = git(repository, "diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", before, after, "--")
    with _scratch(repository, tip) as folder:
        # The change fits onto the tip again only where it is no longer there.
        return try_git(folder, "apply", "--check", "--whitespace=nowarn", "-", text=change).succeeded


def move_branch(repository: Path, branch: str, *, before: str, after: str) -> MergeOutcome:
    """Move a branch from one commit to another, in the work tree where it is checked out or by its ref alone."""
    stays = MergeOutcome(done=False, before=before)
    place = checked_out_at(repository, branch)
    if place is None:
        if rebased_at := _rebased_at(repository, branch):
            return stays.model_copy(update={"problem": f"{branch} is being rebased in {rebased_at}"})
        end = try_git(repository, "update-ref", "-m", "healflow", f"refs/heads/{branch}", after, before)
        problem = "" if end.succeeded else f"{branch} has moved meanwhile"
    else:
        problem = _move_work_tree(place, branch, before=before, after=after)
    if problem:
        return stays.model_copy(update={"problem": problem})
    return MergeOutcome(done=True, before=before, after=after)


def _move_work_tree(place: Path, branch: str, *, before: str, after: str) -> str:
    """Why the work tree stays as it is; empty when it was moved."""
    if git(place, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=none"):
        return f"{branch} is checked out in {place} with uncommitted work"
    added = git(place, "diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", before, after, "--").split("\0")
    if blocked := next((name for name in added if name and _stands_in_the_way(place / name)), None):
        return f"{branch} is checked out in {place}, where the untracked {blocked!r} would be overwritten"
    if find_commit(place, "HEAD") != before:
        return f"{branch} has moved meanwhile"
    forward = is_ancestor(place, before, after)
    # Both refuse, touching nothing, when a file that they would change has been changed since.
    command = ("merge", "--ff-only", "--no-autostash", "--quiet", after) if forward else ("reset", "--keep", after)
    end = try_git(place, *command)
    return "" if end.succeeded else f"{branch} is checked out in {place}, and git refused: {end.errors[-300:]}"


def _stands_in_the_way(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def checked_out_at(repository: Path, branch: str) -> Path | None:
    """The work tree that has the branch checked out, `None` when none has."""
    for place, head in _work_trees(repository):
        if head == f"refs/heads/{branch}":
            return place
    return None


def _work_trees(repository: Path) -> Iterator[tuple[Path, str]]:
    """Each work tree with the ref that it has checked out, empty when none."""
    for block in git(repository, "worktree", "list", "--porcelain").split("\n\n"):
        facts = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "worktree" in facts and "bare" not in facts and Path(facts["worktree"]).is_dir():
            yield Path(facts["worktree"]), facts.get("branch", "")


def registered(repository: Path, path: Path) -> bool:
    """Whether the folder is a work tree of the repository."""
    return any(place.resolve() == path.resolve() for place, _ in _work_trees(repository))


def _rebased_at(repository: Path, branch: str) -> Path | None:
    for place, _ in _work_trees(repository):
        for name in _REBASING:
            told = git(place, "rev-parse", "--path-format=absolute", "--git-path", name).rstrip("\n")
            if Path(told).is_file() and Path(told).read_text().strip() == f"refs/heads/{branch}":
                return place
    return None


def _published(repository: Path, commit: str) -> bool:
    return bool(git(repository, "for-each-ref", "--count=1", "--contains", commit, "refs/remotes/").strip())


def _conflicts(folder: Path) -> str:
    names = [name for name in git(folder, "diff", "--name-only", "--diff-filter=U", "-z").split("\0") if name]
    return f" in {', '.join(names[:5])}" if names else ""


@contextmanager
def _scratch(repository: Path, commit: str) -> Iterator[Path]:
    """A detached worktree that is gone afterwards, whatever happened in it."""
    with TemporaryDirectory(prefix="healflow-merge-") as parent:
        folder = Path(parent) / "tree"
        git(repository, "worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            try_git(repository, "worktree", "remove", "--force", "--force", str(folder))


def delete_branch(repository: Path, branch: str, *, expected_tip: str) -> None:
    """Delete a branch that still ends at the expected commit; one that is gone already is fine.

    Raises:
        ConflictError: it ends elsewhere, or is checked out.
    """
    tip = tip_of(repository, branch)
    if tip is None:
        return
    if tip != expected_tip:
        raise ConflictError(f"{branch} was at {expected_tip[:12]} and is now at {tip[:12]}: it is left as it is")
    if place := checked_out_at(repository, branch):
        raise ConflictError(f"{branch} is checked out in {place}: it is left as it is")
    end = try_git(repository, "update-ref", "-d", f"refs/heads/{branch}", expected_tip)
    if not end.succeeded:
        raise ConflictError(f"{branch} has moved meanwhile and is left as it is: {end.errors[-300:]}")
