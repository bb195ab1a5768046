"""Branches of our own, written through git's objects: blobs, a tree, one commit, and the ref that points at it."""

import base64
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from tasks.clients.github.connection import Connection, check_branch, check_commit, repository_path
from tasks.clients.github.failures import known_form, write_or_find
from tasks.domain.code_host import OWN_BRANCH_PREFIX, FileChange
from tasks.errors import ConflictError, PermanentError

READ, WRITE = "contents: read", "contents: write"
_AUTHOR = {"name": "Healflow", "email": "healflow@localhost"}


class Branches:
    """Reads any branch; makes, moves and deletes only those that begin with `healflow/`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def default(self, repository: str) -> str:
        """The name of the default branch."""
        what = f"read the repository {repository}"
        document = self._connection.get(repository_path(repository), what=what, needs="metadata: read")
        with known_form(what):
            return str(document["default_branch"])

    def tip(self, repository: str, branch: str) -> str | None:
        """The commit at the end of a branch, `None` when there is no such branch."""
        what = f"read the branch {branch} of {repository}"
        document = self._connection.find(
            f"{repository_path(repository)}/git/ref/heads/{check_branch(branch)}", what=what, needs=READ
        )
        with known_form(what):
            return check_commit(str(document["object"]["sha"])) if document is not None else None

    def is_commit_with(self, repository: str, commit: str, *, parent: str, line: str) -> bool:
        """Whether a commit stands directly on `parent` alone and has that line in its message."""
        what = f"read the commit {commit[:12]} of {repository}"
        path = f"{repository_path(repository)}/git/commits/{check_commit(commit)}"
        document = self._connection.get(path, what=what, needs=READ)
        with known_form(what):
            parents = [str(one["sha"]) for one in document["parents"]]
            return parents == [parent] and line in str(document["message"]).splitlines()

    def require_writable(self, repository: str, branch: str) -> None:
        """Raises:
        PermanentError: the branch is not one of ours, is the default branch, or is protected.
        """
        if not branch.startswith(OWN_BRANCH_PREFIX) or branch == OWN_BRANCH_PREFIX:
            raise PermanentError(f"{branch!r} is not written to: only branches {OWN_BRANCH_PREFIX}… are ours")
        name = check_branch(branch)
        if branch == self.default(repository):
            raise PermanentError(f"{branch!r} is the default branch of {repository}, which is never written to")
        what = f"read whether {branch} of {repository} is protected"
        known = self._connection.find(f"{repository_path(repository)}/branches/{name}", what=what, needs=READ)
        if known is not None and known.get("protected") is not False:
            raise PermanentError(f"{branch!r} of {repository} is protected, and is never written to")

    def commit_files(
        self,
        repository: str,
        *,
        branch: str,
        base_commit: str,
        changes: Sequence[FileChange],
        message: str,
        at: datetime,
        expected_tip: str | None = None,
    ) -> str:
        """Make `branch` end at one commit on top of `base_commit` that makes these changes; returns its id.

        The same arguments give the same commit, so that doing it again changes nothing. A branch that exists is moved
        only if it ends at `base_commit` or at `expected_tip`, an earlier commit of ours. The commit is not signed.

        Raises:
            ConflictError: the branch holds something else.
            PermanentError: the branch must not be written to, or a path leaves the repository.
        """
        self.require_writable(repository, branch)
        if not changes:
            raise PermanentError(f"there is nothing to commit to {branch}")
        paths = [check_path(change.path) for change in changes]
        workflows = any(path.startswith(".github/workflows/") for path in paths)
        needs = f"{WRITE}{' and workflows: write' if workflows else ''}"
        tip = self.tip(repository, branch)
        tree = self._tree(repository, base_commit, changes, needs)
        commit = self._commit(repository, tree=tree, parent=base_commit, message=message, at=at, needs=needs)
        if tip == commit:
            return commit
        if tip not in (None, base_commit, expected_tip):
            raise ConflictError(f"{branch} of {repository} is at {str(tip)[:12]} and holds commits that are not ours")
        self._move(repository, branch, before=tip, after=commit, needs=needs)
        return commit

    def _tree(self, repository: str, base_commit: str, changes: Sequence[FileChange], needs: str) -> str:
        base = f"{repository_path(repository)}/git"
        what = f"read the commit {base_commit[:12]} of {repository}"
        found = self._connection.get(f"{base}/commits/{check_commit(base_commit)}", what=what, needs=READ)
        entries = [
            {"path": change.path, "mode": str(change.mode), "type": "blob", "sha": self._blob(base, change, needs)}
            for change in changes
        ]
        what = f"write the files of a fix to {repository}"
        with known_form(what):
            body = {"base_tree": found["tree"]["sha"], "tree": entries}
            return str(self._object(f"{base}/trees", body, what, needs)["sha"])

    def _blob(self, base: str, change: FileChange, needs: str) -> str | None:
        if change.content is None:
            return None
        body = {"content": base64.b64encode(change.content).decode(), "encoding": "base64"}
        what = f"write {change.path}"
        with known_form(what):
            return str(self._object(f"{base}/blobs", body, what, needs)["sha"])

    def _commit(self, repository: str, *, tree: str, parent: str, message: str, at: datetime, needs: str) -> str:
        person = {**_AUTHOR, "date": at.isoformat(timespec="seconds")}
        body = {"message": message, "tree": tree, "parents": [parent], "author": person, "committer": person}
        what = f"commit a fix to {repository}"
        with known_form(what):
            made = self._object(f"{repository_path(repository)}/git/commits", body, what, needs)
            return check_commit(str(made["sha"]))

    def _object(self, path: str, body: dict[str, Any], what: str, needs: str) -> Any:
        """Git names objects by their content: one that was written already is the same one."""

        def write() -> Any:
            return self._connection.send("POST", path, body, what=what, needs=needs)

        return write_or_find(write, write)

    def _move(self, repository: str, branch: str, *, before: str | None, after: str, needs: str) -> None:
        base, name = f"{repository_path(repository)}/git/refs", check_branch(branch)
        what = f"put a fix on the branch {branch} of {repository}"

        def write() -> str:
            if before is None:
                body: dict[str, Any] = {"ref": f"refs/heads/{branch}", "sha": after}
                self._connection.send("POST", base, body, what=what, needs=needs)
            else:
                # Forced: an earlier commit of ours on this branch is replaced by the one that was proven.
                self._connection.send(
                    "PATCH", f"{base}/heads/{name}", {"sha": after, "force": True}, what=what, needs=needs
                )
            return after

        write_or_find(write, lambda: after if self.tip(repository, branch) == after else None)

    def restore(self, repository: str, branch: str, *, expected_tip: str, to: str | None) -> None:
        """Set one of our branches back to `to`, or delete it when that is `None`; done already is fine.

        Raises:
            ConflictError: it no longer ends at `expected_tip`, so that work of others would be lost.
        """
        tip = self.tip(repository, branch)
        if tip == to:
            return
        self.require_writable(repository, branch)
        if tip != expected_tip:
            where = f"at {tip[:12]}" if tip else "gone"
            raise ConflictError(f"{branch} was at {expected_tip[:12]} and is now {where}: it is left as it is")
        if to is not None:
            self._move(repository, branch, before=tip, after=check_commit(to), needs=WRITE)
            return
        path = f"{repository_path(repository)}/git/refs/heads/{check_branch(branch)}"

        def delete() -> bool:
            self._connection.send("DELETE", path, None, what=f"delete the branch {branch} of {repository}", needs=WRITE)
            return True

        write_or_find(delete, lambda: True if self.tip(repository, branch) is None else None)


def check_path(name: str) -> str:
    """The path of a file inside the repository, unchanged.

    Raises:
        PermanentError: it leads elsewhere, or into `.git`.
    """
    pure = PurePosixPath(name)
    inside = name and not pure.is_absolute() and ".." not in pure.parts and str(pure) == name
    if not inside or "\0" in name or any(part.lower() == ".git" for part in pure.parts):
        raise PermanentError(f"{name[:120]!r} is not a file inside the repository")
    return name
