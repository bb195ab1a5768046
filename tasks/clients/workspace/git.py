"""Runs git with an argument list and a clean environment, and refuses names that git could take for something else."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tasks.domain.base import Noun
from tasks.errors import NotFoundError, PermanentError, TransientError

TIMEOUT_SECONDS = 120.0
_MAX_NAME_CHARACTERS = 200

# No hook, filesystem monitor or remote helper runs on behalf of a heal, nothing asks for a signature or a password.
_OPTIONS = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "protocol.ext.allow=never",
    "-c", "commit.gpgSign=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "advice.detachedHead=false",
    "-c", "user.name=Healflow",
    "-c", "user.email=healflow@localhost",
)  # fmt: skip

# https://git-scm.com/docs/git-check-ref-format, and `@` alone, which means HEAD
_ILLEGAL_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|\.(/|$)|^@$|^[-/.]|/$")
_OBJECT_NAME = re.compile(r"[0-9a-f]{7,64}")


class GitEnd(Noun):
    """How one git command ended."""

    exit_code: int
    output: str
    errors: str

    @property
    def succeeded(self) -> bool:
        """Whether git said that all went well."""
        return self.exit_code == 0


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    # Handed on to a child, not read as configuration. GIT_* of the caller would point git at another repository.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "HEALFLOW_"))}
    fixed = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_EDITOR": "true", "GIT_PAGER": "cat"}
    return {**kept, **fixed, "LC_ALL": "C", "LANGUAGE": "C", **extra}


def _run(
    folder: Path, arguments: tuple[str, ...], text: str, env: Mapping[str, str], timeout_seconds: float
) -> subprocess.CompletedProcess[bytes]:
    if not folder.is_dir():
        raise NotFoundError(f"there is no folder {str(folder)!r} to run git in")
    try:
        return subprocess.run(
            ["git", *_OPTIONS, "-C", str(folder), *arguments],
            input=text.encode(),
            env=_environment(env),
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise PermanentError("git is not installed, or not on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise TransientError(f"'git {arguments[0]}' did not end within {timeout_seconds:.0f} s in {folder}") from error


def try_git(
    folder: Path,
    *arguments: str,
    text: str = "",
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> GitEnd:
    """Run git in a folder; a failure of git is a value.

    Raises:
        NotFoundError: there is no such folder.
        PermanentError: git is not installed, or printed what is not UTF-8.
        TransientError: git did not end in time.
    """
    done = _run(folder, arguments, text, env or {}, timeout_seconds)
    try:
        output = done.stdout.decode()
    except UnicodeDecodeError as error:
        raise PermanentError(f"'git {arguments[0]}' in {folder} printed what is not UTF-8: {error}") from error
    return GitEnd(exit_code=done.returncode, output=output, errors=done.stderr.decode(errors="replace").strip())


def git(folder: Path, *arguments: str, text: str = "") -> str:
    """Run git in a folder and return what it prints.

    Raises:
        PermanentError: git failed; the message has git's own words.
    """
    end = try_git(folder, *arguments, text=text)
    if not end.succeeded:
        raise PermanentError(f"'git {arguments[0]}' failed in {folder}: {end.errors[-500:] or end.exit_code}")
    return end.output


def git_bytes(folder: Path, *arguments: str) -> bytes:
    """Run git in a folder and return what it prints, whatever its encoding.

    Raises:
        PermanentError: git failed; the message has git's own words.
    """
    done = _run(folder, arguments, "", {}, TIMEOUT_SECONDS)
    if done.returncode != 0:
        told = done.stderr.decode(errors="replace").strip()[-500:]
        raise PermanentError(f"'git {arguments[0]}' failed in {folder}: {told or done.returncode}")
    return done.stdout


def require_repository(folder: Path) -> None:
    """Raises:
    NotFoundError: the folder does not exist or is no git repository.
    """
    end = try_git(folder, "rev-parse", "--git-dir")
    if not end.succeeded:
        raise NotFoundError(f"{str(folder)!r} is not a git repository that can be used: {end.errors[-300:]}")


def check_ref(name: str) -> str:
    """Return the name of a branch, tag or commit unchanged if git could not misread it.

    Raises:
        PermanentError: it starts with a dash, or breaks the rules for names of refs.
    """
    if not name or len(name) > _MAX_NAME_CHARACTERS or _ILLEGAL_IN_REF.search(name):
        raise PermanentError(f"{name[:80]!r} is not a name of a branch or commit")
    return name


def check_commit(name: str) -> str:
    """Return a full or shortened commit id unchanged.

    Raises:
        PermanentError: it is none.
    """
    if not _OBJECT_NAME.fullmatch(name):
        raise PermanentError(f"{name[:80]!r} is not the id of a commit")
    return name


def find_commit(folder: Path, name: str) -> str | None:
    """The full id of a commit; `None` when the repository does not hold it. A branch goes before a tag."""
    check_ref(name)
    for full in (f"refs/heads/{name}", name):
        end = try_git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{full}^{{commit}}")
        if end.succeeded:
            return end.output.strip()
    return None


def is_ancestor(folder: Path, older: str, newer: str) -> bool:
    """Whether `newer` holds everything that `older` does."""
    return try_git(folder, "merge-base", "--is-ancestor", check_commit(older), check_commit(newer)).succeeded
