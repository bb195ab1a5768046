"""Workspace: what a heal may do with a repository."""

import fcntl
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tasks.clients.workspace import merging, worktree
from tasks.clients.workspace.contents import read_file_changes
from tasks.clients.workspace.git import (
    check_commit,
    check_ref,
    find_commit,
    git,
    is_ancestor,
    require_repository,
    try_git,
)
from tasks.domain.code_host import FileChange
from tasks.domain.evidence import Change
from tasks.domain.outcome import MergeOutcome
from tasks.errors import ConflictError, NotFoundError, PermanentError

BRANCH_PREFIX = "healflow/"
"""Only branches with this prefix are made and deleted."""

_WORKTREE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_LOG_FIELDS = 4


class Workspace:
    """Worktrees of heals, side by side under one folder, and the branches they work on."""

    def __init__(self, worktrees_root: Path) -> None:
        self._root = worktrees_root.absolute()

    def head(self, repository: Path, ref: str) -> str:
        """The full commit id that a branch, tag or commit stands for.

        Raises:
            NotFoundError: no such repository, or nothing of that name in it.
        """
        require_repository(repository)
        commit = find_commit(repository, ref)
        if commit is None:
            raise NotFoundError(f"{str(repository)!r} has no branch, tag or commit {ref!r}")
        return commit

    def branch_of(self, repository: Path, ref: str) -> str:
        """The branch that `ref` names, or that HEAD is on; empty when it is none (a tag, a commit, a detached HEAD)."""
        require_repository(repository)
        if ref == "HEAD":
            return try_git(repository, "symbolic-ref", "--quiet", "--short", "HEAD").output.strip()
        return ref if self.branch_tip(repository, ref) else ""

    def branch_tip(self, repository: Path, branch: str) -> str | None:
        """The commit at the end of a branch, `None` when there is no such branch."""
        return merging.tip_of(repository, check_ref(branch))

    def changes_between(self, repository: Path, good: str | None, bad: str, *, limit: int = 50) -> tuple[Change, ...]:
        """The commits after `good` up to and with `bad`, newest first, at most `limit`; `bad` alone without `good`."""
        last = self.head(repository, bad)
        which = (f"{self.head(repository, good)}..{last}",) if good else ("--max-count=1", last)
        log = (
            "log",
            "--no-color",
            "--no-show-signature",
            f"--max-count={limit}",
            "--format=%H%x00%an%x00%cI%x00%s%x00",
        )
        fields = git(repository, *log, *which, "--").split("\0")[:-1]
        rows = zip(*[iter(fields)] * _LOG_FIELDS, strict=True)
        return tuple(
            Change(
                commit=commit.strip(),
                author=_one_line(author),
                summary=_one_line(summary),
                files=_files_of(repository, commit.strip()),
                committed_at=datetime.fromisoformat(when),
            )
            for commit, author, when, summary in rows
        )

    def file_changes(self, repository: Path, *, base: str, tip: str) -> tuple[FileChange, ...]:
        """What the commits from `base` to `tip` make of each file that they change, to be made elsewhere too.

        Raises:
            NotFoundError: one of the two is not there.
            PermanentError: a submodule changes, or more than a person can judge.
        """
        return read_file_changes(repository, self.head(repository, base), self.head(repository, tip))

    def prepare(self, repository: Path, *, name: str, commit: str, branch: str | None = None) -> Path:
        """A clean worktree at a commit, detached or on our branch `branch`, which is made if it does not exist.

        What an interrupted attempt left is taken over: its commits on our branch stay, what it had not committed goes.

        Raises:
            NotFoundError: the repository does not hold the commit.
            ConflictError: the branch exists and does not come from the commit, or is checked out elsewhere.
        """
        with self._alone():
            return self._prepare(repository, name, commit, branch)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time: git itself fails when it reads the worktree that another git is just making."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare(self, repository: Path, name: str, commit: str, branch: str | None) -> Path:
        path = self._path(name)
        start = self.head(repository, check_commit(commit))
        git(repository, "worktree", "prune")
        if branch is not None:
            _check_own(branch)
            self._check_origin(repository, branch, start, path)
        if merging.registered(repository, path) and self._reuse(path, start, branch):
            return path
        self._remove(repository, name)
        if branch is None:
            where = ["--detach", str(path), start]
        elif self.branch_tip(repository, branch):
            where = [str(path), branch]
        else:
            where = ["--no-track", "-b", branch, str(path), start]
        git(repository, "worktree", "add", "--quiet", *where)
        return path

    def _check_origin(self, repository: Path, branch: str, start: str, path: Path) -> None:
        tip = self.branch_tip(repository, branch)
        if tip is not None and not is_ancestor(repository, start, tip):
            raise ConflictError(f"{branch} exists at {tip[:12]} and does not come from {start[:12]}")
        place = merging.checked_out_at(repository, branch)
        if place is not None and place.resolve() != path.resolve():
            raise ConflictError(f"{branch} is checked out in {place}")

    def _reuse(self, path: Path, start: str, branch: str | None) -> bool:
        if not worktree.is_linked(path):
            return False
        on = try_git(path, "symbolic-ref", "--quiet", "HEAD").output.strip()
        if on != (f"refs/heads/{branch}" if branch else ""):
            return False
        worktree.restore(path)
        return branch is not None or find_commit(path, "HEAD") == start

    def remove(self, repository: Path, name: str) -> None:
        """Remove a worktree with all that is in it; one that is gone already is fine."""
        with self._alone():
            self._remove(repository, name)

    def _remove(self, repository: Path, name: str) -> None:
        path = self._path(name)
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            _make_writable(path)
            shutil.rmtree(path)
        if repository.is_dir():
            # Twice forced: a worktree whose making was killed is still locked.
            try_git(repository, "worktree", "remove", "--force", "--force", str(path))
            try_git(repository, "worktree", "prune")

    def _path(self, name: str) -> Path:
        if not _WORKTREE_NAME.fullmatch(name):
            raise PermanentError(f"{name[:80]!r} is not a name for a worktree")
        return self._root / name

    def diff(self, worktree_path: Path, *, context_lines: int = 3) -> str:
        """The unified diff of everything that differs from HEAD, new files among it."""
        return worktree.diff_of(worktree_path, context_lines=context_lines)

    def differ(self, repository: Path, base: str, tip: str, files: Sequence[str]) -> bool:
        """Whether any of the files is another one in the later of two commits, or the first is not among its past."""
        if base == tip:
            return False
        paths = [f":(literal){file}" for file in files]
        known = is_ancestor(repository, base, tip)
        return not known or not try_git(repository, "diff", "--quiet", base, tip, "--", *paths).succeeded

    def restore(self, worktree_path: Path) -> None:
        """Take back everything in a worktree of ours that is not committed."""
        worktree.restore(worktree_path)

    def apply_patch(self, worktree_path: Path, patch: str) -> None:
        """Apply a unified diff, all of it or nothing.

        Raises:
            ConflictError: it does not apply.
        """
        worktree.apply_patch(worktree_path, patch)

    def commit_all(self, worktree_path: Path, *, message: str, trailers: Mapping[str, str]) -> str:
        """Commit everything that changed, as Healflow, without hooks; return the id of the commit.

        Raises:
            PermanentError: nothing changed.
        """
        return worktree.commit_all(worktree_path, message=message, trailers=trailers)

    def find_trailer(self, repository: Path, *, branch: str, since: str, trailer: str, value: str) -> str | None:
        """The newest commit of `branch` after `since` that carries a trailer with that value."""
        tip = self.branch_tip(repository, branch)
        if tip is None:
            return None
        template = f"--format=%H%x00%(trailers:key={trailer},valueonly,separator=%x1f)%x00"
        fields = git(repository, "log", "--no-color", template, f"{check_commit(since)}..{tip}", "--").split("\0")
        found = (
            commit.strip()
            for commit, values in zip(fields[::2], fields[1::2], strict=False)
            if value in values.split("\x1f")
        )
        return next(found, None)

    def parent_of(self, repository: Path, commit: str) -> str:
        """The first parent of a commit.

        Raises:
            NotFoundError: the commit is not there, or is the first of all.
        """
        return self._resolved(repository, f"{check_commit(commit)}^1")

    def _resolved(self, repository: Path, expression: str) -> str:
        end = try_git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{expression}^{{commit}}")
        if not end.succeeded:
            raise NotFoundError(f"{str(repository)!r} has no commit {expression!r}")
        return end.output.strip()

    def set_back(self, repository: Path, branch: str, *, expected_tip: str, to: str) -> None:
        """Move a branch of ours back to an earlier commit.

        Raises:
            ConflictError: it no longer ends at `expected_tip`, or is checked out.
        """
        _check_own(branch)
        tip = self.branch_tip(repository, branch)
        if tip == to:
            return
        place = merging.checked_out_at(repository, branch)
        moved = None if place or tip != expected_tip else merging.move_branch(repository, branch, before=tip, after=to)
        if moved is None or not moved.done:
            raise ConflictError(f"{branch} is no longer at {expected_tip[:12]}, or in use: it is left as it is")

    def delete_branch(self, repository: Path, branch: str, *, expected_tip: str) -> None:
        """Delete a branch of ours that still ends at the expected commit; one that is gone already is fine.

        Raises:
            ConflictError: it ends elsewhere, or is checked out.
        """
        _check_own(branch)
        merging.delete_branch(repository, branch, expected_tip=check_commit(expected_tip))

    def merge(self, repository: Path, *, branch: str, into: str, expected_tip: str) -> MergeOutcome:
        """Merge exactly the proven commit of a branch; why it was not merged (conflicts, uncommitted work) is a value.

        Raises:
            NotFoundError: there is no such branch.
            ConflictError: the branch no longer ends at `expected_tip`.
        """
        require_repository(repository)
        tip = self.branch_tip(repository, branch)
        check_ref(into)
        if tip is None:
            raise NotFoundError(f"there is no branch {branch!r} to merge")
        if tip != expected_tip:
            raise ConflictError(f"{branch} was proven at {expected_tip[:12]} and is now at {tip[:12]}: not merged")
        return merging.merge_commit(repository, tip=tip, branch=branch, into=into)

    def unmerge(self, repository: Path, *, into: str, before: str, after: str) -> MergeOutcome:
        """Take a merge back that moved `into` from `before` to `after`: by reset while it is the last thing there and
        unpublished, else by a new commit that reverts it; why it stays is a value."""
        require_repository(repository)
        return merging.unmerge_commit(
            repository, into=check_ref(into), before=check_commit(before), after=check_commit(after)
        )

    def is_taken_back(self, repository: Path, *, branch: str, before: str, after: str) -> bool:
        """Whether a branch no longer holds the move from `before` to `after`, or reverts it in a later commit."""
        tip = self.branch_tip(repository, check_ref(branch))
        if tip is None or not is_ancestor(repository, check_commit(after), tip):
            return True
        return merging.reverts(repository, tip, before=check_commit(before), after=after)

    def holds(self, repository: Path, *, branch: str, commit: str) -> bool:
        """Whether a branch exists and holds a commit."""
        tip = self.branch_tip(repository, branch)
        return tip is not None and is_ancestor(repository, commit, tip)


def _check_own(branch: str) -> None:
    if not check_ref(branch).startswith(BRANCH_PREFIX):
        raise PermanentError(f"{branch!r} is not a branch of ours: those begin with {BRANCH_PREFIX!r}")


def _one_line(text: str) -> str:
    """Outside text without control characters, which could steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _files_of(repository: Path, commit: str) -> tuple[str, ...]:
    listing = (
        "diff-tree",
        "--root",
        "--no-commit-id",
        "--name-only",
        "--no-renames",
        "-r",
        "-z",
        "-m",
        "--first-parent",
    )
    return tuple(name for name in git(repository, *listing, commit, "--").split("\0") if name)


def _make_writable(path: Path) -> None:
    """Tools leave read-only folders behind (Go's module cache); they are ours to remove."""
    for folder in (path, *(inside for inside in path.rglob("*") if inside.is_dir() and not inside.is_symlink())):
        folder.chmod(0o700)
