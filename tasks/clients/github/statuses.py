"""Commit statuses: one mark of ours on a commit. GitHub keeps them all and shows the newest of each context."""

from collections.abc import Mapping
from typing import Any

from tasks.clients.github.connection import Connection, check_commit, repository_path
from tasks.clients.github.failures import known_form, write_or_find
from tasks.domain.code_host import CommitStatus, StatusState

READ, WRITE = "commit statuses: read", "commit statuses: write"
MAX_DESCRIPTION_CHARACTERS = 140
"""https://docs.github.com/en/rest/commits/statuses"""


class Statuses:
    """Reads and sets statuses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, repository: str, commit: str, context: str) -> CommitStatus | None:
        """What the commit is marked with in that context, `None` when it is not."""
        what = f"read the statuses of {commit[:12]} in {repository}"
        path = f"{repository_path(repository)}/commits/{check_commit(commit)}/statuses"
        listed = self._connection.pages(path, what=what, needs=READ)
        with known_form(what):  # newest first, says the documentation
            return next((_status(one) for one in listed if one.get("context") == context), None)

    def mark(self, repository: str, commit: str, status: CommitStatus) -> CommitStatus:
        """Set the status; one that says the same already is not set again. Returns it as GitHub keeps it."""
        wanted = status.model_copy(update={"description": status.description[:MAX_DESCRIPTION_CHARACTERS]})

        def find() -> CommitStatus | None:
            now = self.newest(repository, commit, wanted.context)
            return now if now == wanted else None

        known = find()
        return known if known is not None else write_or_find(lambda: self._set(repository, commit, wanted), find)

    def _set(self, repository: str, commit: str, wanted: CommitStatus) -> CommitStatus:
        what = f"set the status {wanted.context!r} on {commit[:12]} of {repository}"
        body = {"state": str(wanted.state), "context": wanted.context, "description": wanted.description}
        if wanted.target_url:
            body["target_url"] = wanted.target_url
        path = f"{repository_path(repository)}/statuses/{check_commit(commit)}"
        with known_form(what):
            return _status(self._connection.send("POST", path, body, what=what, needs=WRITE))


def _status(document: Mapping[str, Any]) -> CommitStatus:
    return CommitStatus(
        context=str(document["context"]),
        state=StatusState(document["state"]),
        description=str(document.get("description") or ""),
        target_url=str(document.get("target_url") or ""),
    )
