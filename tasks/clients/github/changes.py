"""What changed between two commits: the commits with their files, newest first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tasks.clients.github.connection import PAGE_SIZE, Connection, check_commit, repository_path
from tasks.clients.github.failures import known_form
from tasks.domain.evidence import Change

MAX_COMMITS = 30
"""Each costs one request for its files."""
READ = "contents: read"


class Changes:
    """Reads commits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def between(self, repository: str, good: str | None, bad: str, *, limit: int = MAX_COMMITS) -> tuple[Change, ...]:
        """The commits after `good` up to and with `bad`, newest first, at most `limit`; `bad` alone without `good`.

        Where history was rewritten, these are the commits since the two parted.

        Raises:
            NotFoundError: GitHub no longer holds one of the two.
        """
        if good is None:
            return (self._commit(repository, check_commit(bad)),)
        newest = self._newest(repository, check_commit(good), check_commit(bad), limit)
        return tuple(self._commit(repository, commit) for commit in newest)

    def _newest(self, repository: str, good: str, bad: str, limit: int) -> list[str]:
        path = f"{repository_path(repository)}/compare/{good}...{bad}"
        what = f"compare {good[:12]} with {bad[:12]} in {repository}"
        first = self._page(path, what, 1)
        with known_form(what):
            pages = max(1, -(-int(first["total_commits"]) // PAGE_SIZE))
            # Oldest come first, so that the newest are at the end of the last page.
            wanted = first["commits"] if pages == 1 else self._page(path, what, pages)["commits"]
            if pages > 1 and len(wanted) < limit:
                wanted = self._page(path, what, pages - 1)["commits"] + wanted
            return [check_commit(str(one["sha"])) for one in reversed(wanted)][:limit]

    def _page(self, path: str, what: str, page: int) -> Any:
        return self._connection.get(path, what=what, needs=READ, per_page=PAGE_SIZE, page=page)

    def _commit(self, repository: str, commit: str) -> Change:
        what = f"read the commit {commit[:12]} of {repository}"
        document = self._connection.get(f"{repository_path(repository)}/commits/{commit}", what=what, needs=READ)
        with known_form(what):
            return _change(document)


def _change(document: Mapping[str, Any]) -> Change:
    told = document["commit"]
    committer = told.get("committer") or told.get("author") or {}
    names = {
        str(file[key])
        for file in document.get("files") or ()
        for key in ("filename", "previous_filename")
        if file.get(key)
    }
    return Change(
        commit=str(document["sha"]),
        author=_one_line(str((told.get("author") or {}).get("name") or "unknown")),
        summary=_one_line(str(told.get("message") or "").partition("\n")[0]),
        files=tuple(sorted(names)),
        committed_at=datetime.fromisoformat(committer["date"]),
    )


def _one_line(text: str) -> str:
    """Outside text without control characters, which could steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text).strip()[:300]
