"""Pull requests: the one of a run, and ours, of which there is at most one per branch."""

from collections.abc import Mapping
from typing import Any

from tasks.clients.github.connection import Connection, check_branch, repository_path
from tasks.clients.github.failures import known_form, write_or_find
from tasks.domain.code_host import OWN_BRANCH_PREFIX, HostedRun, PullRequest
from tasks.errors import NotFoundError, PermanentError

READ, WRITE = "pull requests: read", "pull requests: write"
MAX_BODY_CHARACTERS = 60_000
"""GitHub refuses 65,536 and more."""


class Pulls:
    """Reads any pull request; opens, updates and closes only those from branches `healflow/…`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, repository: str, number: int) -> PullRequest:
        """One pull request."""
        what = f"read the pull request {number} of {repository}"
        document = self._connection.get(f"{repository_path(repository)}/pulls/{number}", what=what, needs=READ)
        with known_form(what):
            return _pull_request(document)

    def of_run(self, run: HostedRun) -> PullRequest | None:
        """The open pull request into the run's repository that the run is of, or that its branch belongs to; `None`
        when there is none. GitHub names no pull request in the runs of a fork."""
        if run.pull_request_numbers:
            return self.read(run.repository, run.pull_request_numbers[0])
        if not run.branch or run.head_repository is None:
            return None
        return self.find(run.repository, run.branch, owner=run.head_repository.partition("/")[0])

    def find(self, repository: str, head_branch: str, *, owner: str | None = None) -> PullRequest | None:
        """The open pull request from a branch, `None` when there is none; `owner` is the head's, else ours."""
        check_branch(head_branch)
        head = f"{owner or repository.partition('/')[0]}:{head_branch}"
        what = f"look for a pull request from {head_branch} in {repository}"
        listed = self._connection.get(
            f"{repository_path(repository)}/pulls", what=what, needs=READ, head=head, state="open", per_page=100
        )
        with known_form(what):
            found = (_pull_request(one) for one in listed)
            # The filter is GitHub's, and it ignores what it cannot read: the answer is checked.
            return next((one for one in found if one.head_branch == head_branch and one.open), None)

    def open_or_update(
        self, repository: str, *, head_branch: str, base_branch: str, title: str, body: str
    ) -> PullRequest:
        """The one open pull request from `head_branch` into `base_branch` with this text, made or brought up to date.

        `base_branch` is never guessed: the caller names it.

        Raises:
            NotFoundError: one of the branches does not exist, such as a failing branch that was deleted meanwhile.
            PermanentError: the head is not a branch of ours, or GitHub refuses.
        """
        self._require_own(head_branch)
        for role, branch in (("head", head_branch), ("base", base_branch)):
            path = f"{repository_path(repository)}/git/ref/heads/{check_branch(branch)}"
            if self._connection.find(path, what=f"read the branch {branch}", needs="contents: read") is None:
                raise NotFoundError(
                    f"the {role} branch {branch} of {repository} does not exist any more: no pull request was opened"
                )
        text = body[:MAX_BODY_CHARACTERS]
        known = self.find(repository, head_branch)
        if known is None:
            wanted = {"head": head_branch, "base": base_branch, "title": title, "body": text}
            known = write_or_find(lambda: self._open(repository, wanted), lambda: self.find(repository, head_branch))
        if (known.title, known.body, known.base_branch) == (title, text, base_branch):
            return known
        return self._edit(repository, known.number, {"title": title, "body": text, "base": base_branch})

    def _open(self, repository: str, wanted: Mapping[str, str]) -> PullRequest:
        what = f"open a pull request from {wanted['head']} into {wanted['base']}"
        document = self._connection.send("POST", f"{repository_path(repository)}/pulls", wanted, what=what, needs=WRITE)
        with known_form(what):
            return _pull_request(document)

    def close(self, repository: str, number: int) -> PullRequest:
        """Close one of ours unmerged; closed already is fine.

        Raises:
            PermanentError: it is not ours, or was merged, which closing does not take back.
        """
        known = self.read(repository, number)
        self._require_own(known.head_branch)
        if known.merged:
            raise PermanentError(f"pull request {number} of {repository} was merged: revert it by hand")
        return self._edit(repository, number, {"state": "closed"}) if known.open else known

    def restore(self, repository: str, known: PullRequest) -> PullRequest:
        """Give one of ours the text and base back that it had."""
        self._require_own(known.head_branch)
        return self._edit(
            repository, known.number, {"title": known.title, "body": known.body, "base": known.base_branch}
        )

    def _edit(self, repository: str, number: int, wanted: Mapping[str, str]) -> PullRequest:
        what = f"update the pull request {number} of {repository}"

        def write() -> PullRequest:
            path = f"{repository_path(repository)}/pulls/{number}"
            with known_form(what):
                return _pull_request(self._connection.send("PATCH", path, wanted, what=what, needs=WRITE))

        def find() -> PullRequest | None:
            now = self.read(repository, number)
            told = {"title": now.title, "body": now.body, "base": now.base_branch, "state": _state(now)}
            return now if all(told[key] == value for key, value in wanted.items()) else None

        return write_or_find(write, find)

    def _require_own(self, branch: str) -> None:
        if not branch.startswith(OWN_BRANCH_PREFIX):
            raise PermanentError(f"{branch!r} is not a branch of ours: its pull request is left alone")


def _state(pull_request: PullRequest) -> str:
    return "open" if pull_request.open else "closed"


def _pull_request(document: Mapping[str, Any]) -> PullRequest:
    head, mergeable = document["head"], document.get("mergeable")
    origin = head.get("repo")
    return PullRequest(
        number=document["number"],
        url=str(document.get("html_url") or ""),
        title=str(document.get("title") or ""),
        body=str(document.get("body") or ""),
        open=document["state"] == "open",
        merged=bool(document.get("merged") or document.get("merged_at")),
        head_branch=str(head["ref"]),
        head_commit=str(head["sha"]),
        head_repository=str(origin["full_name"]) if origin else None,
        base_branch=str(document["base"]["ref"]),
        conflicts=None if mergeable is None else not mergeable,
    )
