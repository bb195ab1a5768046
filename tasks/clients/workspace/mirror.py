"""Bare copies of repositories that live elsewhere, so that heals can work in worktrees of them.

Only the failing branch and commit are fetched, a hundred commits deep. Credentials reach git through its environment,
where no other user of the machine reads them, and are kept nowhere.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tasks.clients.workspace.git import GitEnd, check_commit, check_ref, find_commit, git, try_git
from tasks.clients.workspace.workspace import BRANCH_PREFIX
from tasks.domain.code_host import GitRemote
from tasks.errors import NotFoundError, PermanentError, TransientError

DEPTH = 100
FETCH_SECONDS = 900.0
_REPOSITORY = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,100}/(?!\.)[A-Za-z0-9._-]{1,100}")
_SCHEMES = ("https", "http", "file")
_PASSING = re.compile(
    r"could not resolve|connection (?:refused|reset|timed out)|failed to connect|timed? ?out|returned error: 5\d\d"
    r"|early eof|remote end hung up|transfer closed|temporary failure",
    re.IGNORECASE,
)
_NO_SUCH_REF = re.compile(r"couldn't find remote ref|not our ref|no such remote ref|unadvertised object", re.IGNORECASE)


class Mirrors:
    """One bare repository per remote one, under one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def known(self, repository: str, commit: str) -> Path | None:
        """The copy, if it is here and holds the commit; nothing is asked of the remote."""
        path = self._path(repository)
        return path if path.is_dir() and find_commit(path, check_commit(commit)) else None

    def fetch(self, remote: GitRemote, repository: str, *, branch: str, commit: str) -> Path:
        """The copy, with the commit and with `branch` as it is on the remote now; a branch that is gone there is gone
        here too.

        Raises:
            NotFoundError: the remote does not hold the commit any more.
            TransientError: the remote cannot be reached now.
            PermanentError: it refuses, or the name is not one of a repository.
        """
        path = self._path(repository)
        if check_ref(branch).startswith(BRANCH_PREFIX):
            raise PermanentError(f"{branch!r} is a branch of ours, which is not taken from elsewhere")
        with _alone(path):
            if not (path / "HEAD").is_file():
                git(path, "init", "--bare", "--quiet", "--initial-branch", "main", ".")
            self._fetch_branch(path, remote, branch)
            if find_commit(path, check_commit(commit)) is None:
                self._fetch_commit(path, remote, repository, commit)
        return path

    def _path(self, repository: str) -> Path:
        if not _REPOSITORY.fullmatch(repository):
            raise PermanentError(f"{repository[:80]!r} is not a repository: owner/name is wanted")
        return self._root / f"{repository.lower()}.git"

    def _fetch_branch(self, path: Path, remote: GitRemote, branch: str) -> None:
        end = _fetch(path, remote, f"+refs/heads/{branch}:refs/heads/{branch}")
        if not end.succeeded:
            if not _NO_SUCH_REF.search(end.errors):
                raise _failed(remote, end)
            git(path, "update-ref", "-d", f"refs/heads/{branch}")

    def _fetch_commit(self, path: Path, remote: GitRemote, repository: str, commit: str) -> None:
        end = _fetch(path, remote, commit)
        if end.succeeded and find_commit(path, commit) is not None:
            return
        if end.succeeded or _NO_SUCH_REF.search(end.errors):
            raise NotFoundError(f"{repository} does not hold the commit {commit[:12]} any more")
        raise _failed(remote, end)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: two fetches into one repository fail on each other's locks."""
    path.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(path: Path, remote: GitRemote, what: str) -> GitEnd:
    parts = urlsplit(remote.url)
    if parts.scheme not in _SCHEMES:
        raise PermanentError(f"repositories are fetched by https, not by {parts.scheme[:20] or 'no scheme'!r}")
    allowed = ("-c", "protocol.allow=never", "-c", f"protocol.{parts.scheme}.allow=always")
    # Where ours are refused, nobody else's credentials are tried, and nobody is asked.
    alone = ("-c", "credential.helper=", "-c", "core.askPass=true")
    quiet = ("--quiet", "--no-tags", "--force", "--no-recurse-submodules", "--no-write-fetch-head", f"--depth={DEPTH}")
    return try_git(
        path,
        *allowed,
        *alone,
        "fetch",
        *quiet,
        remote.url,
        what,
        env=_credentials(remote, f"{parts.scheme}://{parts.netloc}/"),
        timeout_seconds=FETCH_SECONDS,
    )


def _credentials(remote: GitRemote, host: str) -> dict[str, str]:
    """https://git-scm.com/docs/git-config#ENVIRONMENT; the header goes to that host alone."""
    if remote.authorization is None:
        return {}
    header = f"Authorization: {remote.authorization.get_secret_value()}"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{host}.extraHeader", "GIT_CONFIG_VALUE_0": header}


def _failed(remote: GitRemote, end: GitEnd) -> TransientError | PermanentError:
    told = f"{remote.url} cannot be fetched: {end.errors[-300:]}"
    if _PASSING.search(end.errors):
        return TransientError(told)
    return PermanentError(f"{told}; the token or App needs 'contents: read'")
