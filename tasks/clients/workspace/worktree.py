"""Works inside one worktree of a heal: what changed, apply, commit, revert, and back to clean."""

import re
from collections.abc import Mapping
from pathlib import Path

from tasks.clients.workspace.git import check_commit, git, try_git
from tasks.errors import ConflictError, PermanentError

_TRAILER_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_DIFF = (
    "diff", "--cached", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
    "--src-prefix=a/", "--dst-prefix=b/", "HEAD",
)  # fmt: skip


def is_linked(worktree: Path) -> bool:
    """Whether the folder is a linked worktree, as heals have, and not a repository's main work tree or a mere folder,
    in which git would take the repository around it."""
    return (worktree / ".git").is_file()


def require_linked(worktree: Path) -> None:
    """Raises:
    PermanentError: this is not a linked worktree but may be where people work.
    """
    if not is_linked(worktree):
        raise PermanentError(f"{worktree} is not a linked worktree: nothing is changed in it")


def diff_of(worktree: Path, *, context_lines: int = 3) -> str:
    """The unified diff of everything that differs from HEAD, new files among it, ignored ones not.

    Raises:
        PermanentError: the diff is not UTF-8, or this is no worktree.
    """
    require_linked(worktree)
    git(worktree, "add", "--all", "--", ".")
    try:
        return git(worktree, *_DIFF, f"--unified={context_lines}", "--")
    finally:
        git(worktree, "reset", "--quiet")


def changed_files(worktree: Path) -> tuple[str, ...]:
    """The files that differ from HEAD, from the worktree's root, in order."""
    told = git(worktree, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
    return tuple(sorted(entry[3:] for entry in told.split("\0") if entry))


def restore(worktree: Path) -> None:
    """Take back everything that is not committed, ignored files too, and leave any half-done revert or merge.

    Raises:
        PermanentError: this is a repository's main work tree, where people work, and not a worktree of ours.
    """
    require_linked(worktree)
    git(worktree, "reset", "--quiet", "--hard", "HEAD")
    git(worktree, "clean", "--quiet", "-ffdx")


def apply_patch(worktree: Path, patch: str) -> None:
    """Apply a unified diff to worktree and index, all of it or nothing; paths outside of the worktree are refused.

    Raises:
        ConflictError: it does not apply to what stands there.
    """
    require_linked(worktree)
    for arguments in (("--check",), ()):
        end = try_git(worktree, "apply", *arguments, "--index", "--whitespace=nowarn", "-p1", "-", text=patch)
        if not end.succeeded:
            raise ConflictError(f"the patch does not apply to {worktree.name}: {end.errors[-500:]}")


def commit_all(worktree: Path, *, message: str, trailers: Mapping[str, str]) -> str:
    """Commit everything that changed, as Healflow, without hooks; return the id of the commit.

    Raises:
        PermanentError: nothing changed, or a trailer is not one line.
    """
    require_linked(worktree)
    git(worktree, "add", "--all", "--", ".")
    if try_git(worktree, "diff", "--cached", "--quiet", "--no-ext-diff", "HEAD", "--").succeeded:
        raise PermanentError(f"there is nothing to commit in {worktree.name}")
    lines = [_trailer(key, value) for key, value in trailers.items()]
    text = message.strip() + "\n\n" + "\n".join(lines) + "\n"
    git(worktree, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "--cleanup=whitespace", "--file=-", text=text)
    return git(worktree, "rev-parse", "HEAD").strip()


def _trailer(key: str, value: str) -> str:
    if not _TRAILER_KEY.fullmatch(key) or not value.strip() or not value.isprintable():
        raise PermanentError(f"the trailer {key[:40]!r}: {value[:80]!r} is not one line of text")
    return f"{key}: {value}"


def stage_revert(worktree: Path, commit: str) -> None:
    """Take one commit's changes back in the worktree, without committing.

    Raises:
        ConflictError: later commits changed the same lines, or it is a merge commit.
    """
    require_linked(worktree)
    end = try_git(worktree, "revert", "--no-commit", "--no-edit", check_commit(commit))
    if not end.succeeded:
        restore(worktree)
        raise ConflictError(f"commit {commit[:12]} cannot be reverted: {end.errors[-300:]}")
    # The state of a revert under way is not wanted: the change is committed later, or thrown away.
    try_git(worktree, "revert", "--quit")


def last_author(folder: Path, file: str) -> str:
    """Who wrote the newest commit that changed a file, empty when git knows none."""
    end = try_git(folder, "log", "-1", "--format=%an", "--", f":(literal){file}")
    return "".join(character for character in end.output.strip() if character.isprintable()) if end.succeeded else ""
