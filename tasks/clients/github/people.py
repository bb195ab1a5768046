"""What an account may do in a repository."""

from tasks.clients.github.connection import Connection, repository_path
from tasks.clients.github.failures import known_form
from tasks.domain.comment import LOGIN
from tasks.errors import PermanentError

_MAY_WRITE = frozenset({"admin", "write"})
"""`maintain` is told as `write`, and `triage` as `read`:
https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user"""


class People:
    """Reads permissions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def may_write(self, repository: str, login: str) -> bool:
        """Whether the account may write to the repository; nobody whom GitHub does not know may."""
        if not LOGIN.fullmatch(login):
            raise PermanentError(f"{login[:80]!r} is no login")
        what = f"read what {login} may do in {repository}"
        path = f"{repository_path(repository)}/collaborators/{login}/permission"
        document = self._connection.find(path, what=what, needs="metadata: read")
        with known_form(what):
            return document is not None and document["permission"] in _MAY_WRITE
