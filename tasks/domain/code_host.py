"""What a code host such as GitHub holds: runs, annotations, pull requests, comments, statuses, and files to commit."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, SecretStr

from tasks.domain.base import Noun, UtcTime
from tasks.domain.pipeline import Conclusion

OWN_BRANCH_PREFIX = "healflow/"
"""All branches that hold our fixes begin so; no other branch is ever written to."""


class FailedRun(Noun):
    """One failed attempt of a workflow run, as its webhook tells it."""

    run_id: str
    attempt: int = Field(ge=1)
    body: bytes
    """That of the event `workflow_run`, without who sent it."""


class HostedRun(Noun):
    """One attempt of a workflow run. Titles and labels are not kept: nothing is decided on them."""

    run_id: str
    attempt: int = Field(ge=1)
    repository: str
    head_repository: str | None
    """Where the commit comes from; `None` when that repository was deleted, which only forks are."""
    workflow_id: int
    workflow: str
    workflow_path: str
    event: str
    branch: str
    commit: str
    status: str
    """`completed`, or how far it has come."""
    conclusion: Conclusion | None
    """`None` while the run has not ended."""
    pull_request_numbers: tuple[int, ...] = ()
    """Of pull requests into `repository`; GitHub lists none for a fork's."""
    url: str
    started_at: UtcTime
    updated_at: UtcTime

    @property
    def from_fork(self) -> bool:
        """Whether the commit comes from another repository, or from one that is gone."""
        return self.head_repository is None or self.head_repository.lower() != self.repository.lower()

    @property
    def ended(self) -> bool:
        """Whether the attempt is over."""
        return self.status == "completed" and self.conclusion is not None


class GitRemote(Noun):
    """Where git fetches a repository from; the value of the `Authorization` header, `None` where none is needed."""

    url: str
    authorization: SecretStr | None = None


class Annotation(Noun):
    """One remark that a job left on a file or on the run."""

    level: Literal["notice", "warning", "failure"]
    message: str
    title: str = ""
    path: str = ""
    line: int | None = None


class PullRequest(Noun):
    """A request to merge one branch into another."""

    number: int
    url: str
    title: str
    body: str
    open: bool
    merged: bool
    head_branch: str
    head_commit: str
    head_repository: str | None
    """`None` when the repository that it came from was deleted."""
    base_branch: str
    conflicts: bool | None = None
    """Whether it cannot be merged as it is; `None` while the host has not found out."""


class FileMode(StrEnum):
    """What git keeps of a file besides its content."""

    REGULAR = "100644"
    EXECUTABLE = "100755"
    SYMBOLIC_LINK = "120000"


class FileChange(Noun):
    """The new content of one file of the repository; `None` deletes it."""

    path: str
    content: bytes | None
    mode: FileMode = FileMode.REGULAR


class PostedComment(Noun):
    """A comment of ours. `previous_body` is what it said before we edited it, `None` when we wrote it new."""

    comment_id: int
    url: str
    body: str
    previous_body: str | None = None


class StatusState(StrEnum):
    """What a commit status may say, in GitHub's words."""

    ERROR = "error"
    FAILURE = "failure"
    PENDING = "pending"
    SUCCESS = "success"


class CommitStatus(Noun):
    """One mark on a commit; of several with the same context the newest counts."""

    context: str
    state: StatusState
    description: str = ""
    target_url: str = ""
