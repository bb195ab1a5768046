"""One connection to GitHub with its parts."""

from typing import Self

from tasks.clients.github.artifacts import Artifacts
from tasks.clients.github.branches import Branches
from tasks.clients.github.changes import Changes
from tasks.clients.github.comments import Comments
from tasks.clients.github.connection import Connection
from tasks.clients.github.logs import Logs
from tasks.clients.github.people import People
from tasks.clients.github.pulls import Pulls
from tasks.clients.github.runs import Runs
from tasks.clients.github.statuses import Statuses
from tasks.domain.code_host import GitRemote
from tasks.settings import GithubSettings


class GithubClient:
    """`runs`, `logs`, `artifacts`, `changes`, `people` read; `branches`, `pulls`, `comments`, `statuses` write too.

    Every method names the repository as `owner/name`, and may raise:
        TransientError: GitHub is down, slow or asks to wait (`retry_after_seconds`).
        PermanentError: GitHub refuses; the message says what to do.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.runs = Runs(connection)
        self.logs = Logs(connection)
        self.artifacts = Artifacts(connection)
        self.changes = Changes(connection)
        self.people = People(connection)
        self.branches = Branches(connection)
        self.pulls = Pulls(connection)
        self.comments = Comments(connection)
        self.statuses = Statuses(connection)

    @classmethod
    def from_settings(cls, settings: GithubSettings) -> Self:
        """Connect as the settings say; nothing is asked of GitHub yet.

        Raises:
            PermanentError: an App is named without its installation or its private key.
        """
        return cls(Connection(settings))

    def git_remote(self, repository: str) -> GitRemote:
        """Where and how git fetches a repository; the token in it is good for an hour where it is an App's."""
        return self._connection.git_remote(repository)

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
