"""Comments of ours: one on a pull request, edited ever after, and one below each comment that asked something of us.

Each is known by a hidden marker and by its author.
"""

import re
from collections.abc import Mapping
from typing import Any

from tasks.clients.github.connection import Connection, repository_path
from tasks.clients.github.failures import known_form, write_or_find
from tasks.domain.code_host import PostedComment
from tasks.errors import NotFoundError, PermanentError

READ, WRITE = "pull requests: read", "pull requests: write"
MAX_BODY_CHARACTERS = 60_000
"""GitHub refuses 65,536 and more."""
MAX_COMMENTS = 3_000
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_THREAD = re.compile(r"issues/[0-9]{1,18}|commits/[0-9a-f]{40,64}")


class Comments:
    """Writes comments of ours, and touches no other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, repository: str, number: int, key: str) -> PostedComment | None:
        """Our comment with that key on a pull request, `None` when there is none.

        A comment of someone else that carries our marker is not ours.
        """
        return self._find(repository, f"issues/{number}", key)

    def _find(self, repository: str, thread: str, key: str) -> PostedComment | None:
        what = f"read the comments on {thread} of {repository}"
        path = f"{repository_path(repository)}/{thread}/comments"
        marker, login = _marker(key), self._connection.login()
        listed = self._connection.pages(path, what=what, needs=READ, limit=MAX_COMMENTS)
        with known_form(what):
            for one in listed:
                author = str((one.get("user") or {}).get("login") or "")
                if author == login and str(one.get("body") or "").startswith(marker):
                    return _comment(one)
        return None

    def post(self, repository: str, number: int, key: str, body: str) -> PostedComment:
        """The one comment with that key, made or edited to say `body`."""
        text = f"{_marker(key)}\n{body}"[:MAX_BODY_CHARACTERS]
        known = self.find(repository, number, key)
        if known is None:
            return write_or_find(
                lambda: self._create(repository, f"issues/{number}", text), lambda: self.find(repository, number, key)
            )
        if known.body == text:
            return known.model_copy(update={"previous_body": text})
        return self._edit(repository, known.comment_id, text).model_copy(update={"previous_body": known.body})

    def reply(self, repository: str, thread: str, key: str, body: str) -> PostedComment:
        """A comment below others in `thread`, `issues/NUMBER` or `commits/SHA`; one with that key is left as it is."""
        if not _THREAD.fullmatch(thread):
            raise PermanentError(f"{thread[:80]!r} is no place for a comment")
        known = self._find(repository, thread, key)
        if known is not None:
            return known
        text = f"{_marker(key)}\n{body}"[:MAX_BODY_CHARACTERS]
        return write_or_find(
            lambda: self._create(repository, thread, text), lambda: self._find(repository, thread, key)
        )

    def _create(self, repository: str, thread: str, text: str) -> PostedComment:
        what = f"comment on {thread} of {repository}"
        path = f"{repository_path(repository)}/{thread}/comments"
        with known_form(what):
            return _comment(self._connection.send("POST", path, {"body": text}, what=what, needs=WRITE))

    def _edit(self, repository: str, comment_id: int, text: str) -> PostedComment:
        what = f"edit our comment {comment_id} in {repository}"
        path = f"{repository_path(repository)}/issues/comments/{comment_id}"

        def write() -> PostedComment:
            with known_form(what):
                return _comment(self._connection.send("PATCH", path, {"body": text}, what=what, needs=WRITE))

        def find() -> PostedComment | None:
            now = self.read(repository, comment_id)
            return now if now is not None and now.body == text else None

        return write_or_find(write, find)

    def read(self, repository: str, comment_id: int) -> PostedComment | None:
        """A comment by its number, `None` when it is gone."""
        what = f"read the comment {comment_id} of {repository}"
        path = f"{repository_path(repository)}/issues/comments/{comment_id}"
        document = self._connection.find(path, what=what, needs=READ)
        with known_form(what):
            return _comment(document) if document is not None else None

    def restore(self, repository: str, comment_id: int, body: str | None) -> None:
        """Give our comment the text back that it had, or delete it when that is `None`; gone already is fine.

        Raises:
            PermanentError: it carries no marker of ours.
        """
        known = self.read(repository, comment_id)
        if known is None or known.body == body:
            return
        if not known.body.startswith(_MARKER_START):
            raise PermanentError(f"comment {comment_id} of {repository} is not ours: it is left as it is")
        if body is not None:
            self._edit(repository, comment_id, body)
            return
        path = f"{repository_path(repository)}/issues/comments/{comment_id}"

        def delete() -> bool:
            try:
                what = f"delete our comment {comment_id} in {repository}"
                self._connection.send("DELETE", path, None, what=what, needs=WRITE)
            except NotFoundError:
                return True
            return True

        write_or_find(delete, lambda: True if self.read(repository, comment_id) is None else None)


_MARKER_START = "<!-- healflow:"


def _marker(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise PermanentError(f"{key[:80]!r} is not a key for a comment")
    return f"{_MARKER_START}{key} -->"


def _comment(document: Mapping[str, Any]) -> PostedComment:
    return PostedComment(
        comment_id=document["id"], url=str(document.get("html_url") or ""), body=str(document.get("body") or "")
    )
