"""What git says about the folder a run works in: its commit, and the repository that it is a worktree of."""

import subprocess
from pathlib import Path

from tasks.clients.pipeline.environment import inherited_environment
from tasks.domain.base import Noun

_SECONDS = 30
_FORMAT = "%H%x00%T%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B"


class HeadCommit(Noun):
    """The commit a run is of, as a `workflow_run` event tells it."""

    id: str
    tree_id: str
    author_name: str
    author_email: str
    committer_name: str
    committer_email: str
    timestamp: str
    message: str


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, `None` when it fails: the folder may be no repository, or have no commit yet."""
    environment = {**inherited_environment(), "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def read_head_commit(folder: Path) -> HeadCommit | None:
    """The commit that is checked out in `folder`, `None` when git knows none."""
    told = _git(folder, "-c", "log.showSignature=false", "log", "-1", "--no-color", f"--format={_FORMAT}")
    parts = told.split("\0", 7) if told else []
    if len(parts) != 8:
        return None
    names = (
        "id",
        "tree_id",
        "author_name",
        "author_email",
        "committer_name",
        "committer_email",
        "timestamp",
        "message",
    )
    return HeadCommit.model_validate(dict(zip(names, (part.strip("\n") for part in parts), strict=True)))


def read_branch(folder: Path) -> str:
    """The branch that is checked out, empty when there is none."""
    return (_git(folder, "symbolic-ref", "--quiet", "--short", "HEAD") or "").strip()


def find_repository(folder: Path) -> Path:
    """The repository whose worktree `folder` is, or `folder` itself."""
    told = _git(folder, "rev-parse", "--path-format=absolute", "--git-common-dir")
    common = Path(told.rstrip("\n")) if told else None
    return common.parent if common is not None and common.name == ".git" else folder.absolute()


def find_default_branch(folder: Path, *, otherwise: str) -> str:
    """The branch that others merge into: what the remote says, else `main` or `master` where there is one."""
    told = _git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    if told and told.strip():
        return told.strip().removeprefix("origin/")
    for name in ("main", "master"):
        if _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}") is not None:
            return name
    return otherwise
