"""The home: the one folder that holds everything Healflow keeps on this machine, and who is using it."""

import fcntl
import json
import os
import pwd
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from tasks.clients.ledger import Ledger
from tasks.domain.base import Noun, UtcTime
from tasks.errors import ConflictError, PermanentError
from tasks.settings import Settings


class Holder(Noun):
    """The process that serves a home."""

    pid: int
    started_at: UtcTime
    prefect_url: str
    gateway_url: str


class Home:
    """The home's files: ledger, runs, worktrees, Prefect's state, logs, the webhook secret and the lock."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.root = settings.root

    @property
    def prefect(self) -> Path:
        """Prefect's database and results."""
        return self.root / "prefect"

    @property
    def logs(self) -> Path:
        """What the served processes print."""
        return self.root / "logs"

    @property
    def _lock(self) -> Path:
        return self.root / "up.lock"

    def make(self) -> None:
        """Make the folder, readable by its owner only and ignored by git.

        Raises:
            PermanentError: it cannot be made or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.prefect, self.logs):
                folder.mkdir(exist_ok=True)
            (self.root / ".gitignore").write_text("*\n")
        except OSError as error:
            raise PermanentError(f"the home {self.root} cannot be used ({error}); set HEALFLOW_HOME") from error

    def webhook_secret(self) -> str:
        """The secret that signs events: the one set, else one made at first use and kept in the home."""
        if self._settings.webhook_secret is not None:
            return self._settings.webhook_secret.get_secret_value()
        return self._kept("webhook_secret")

    def event_tokens(self) -> tuple[str, ...]:
        """The bearer tokens in force: those set, else one made at first use and kept in the home."""
        if self._settings.event_tokens:
            return tuple(token.get_secret_value() for token in self._settings.event_tokens)
        return (self._kept("event_token"),)

    def event_secrets(self) -> tuple[str, ...]:
        """What events in our own format are signed with: those set, else one made at first use and kept in the home."""
        if self._settings.event_secrets:
            return tuple(secret.get_secret_value() for secret in self._settings.event_secrets)
        return (self._kept("event_secret"),)

    def mcp_token(self) -> str:
        """The bearer token of the MCP server over HTTP: the one set, else one made at first use and kept here."""
        if self._settings.mcp.token is not None:
            return self._settings.mcp.token.get_secret_value()
        return self._kept("mcp_token")

    def link_key(self) -> bytes:
        """What signs the links of the approval page: the key set, else one made at first use and kept here."""
        if self._settings.approvals.link_key is not None:
            return self._settings.approvals.link_key.get_secret_value().encode()
        return self._kept("link_key").encode()

    def _kept(self, name: str) -> str:
        self.make()
        path = self.root / name
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return _read_secret(path)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        return _read_secret(path)

    def holder(self) -> Holder | None:
        """Who serves this home, `None` when nobody does; a lock that a dead process left is nobody's."""
        try:
            with self._lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return self._read_holder()
        return None

    def _read_holder(self) -> Holder | None:
        try:
            return Holder.model_validate_json(self._lock.read_text())
        except (ValidationError, OSError):
            return Holder(
                pid=0, started_at=datetime.fromisoformat("1970-01-01T00:00:00+00:00"), prefect_url="", gateway_url=""
            )

    @contextmanager
    def hold(self, holder: Holder) -> Iterator[None]:
        """Be the one process that serves this home; the lock ends with the process, however it ends.

        Raises:
            ConflictError: another process holds it.
        """
        self.make()
        with self._lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(self._held_message()) from None
            file.truncate(0)
            file.write(json.dumps(holder.model_dump(mode="json")))
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def _held_message(self) -> str:
        other = self._read_holder()
        if other is None or other.pid == 0:
            return f"{self.root} is served by another process that is just starting or stopping"
        return (
            f"{self.root} is served by process {other.pid} since {other.started_at:%Y-%m-%d %H:%M:%S} UTC: "
            f"Prefect UI {other.prefect_url}, gateway {other.gateway_url}"
        )


def local_user() -> str:
    """The login name of whoever runs this process, from the user database and not from the environment."""
    return pwd.getpwuid(os.getuid()).pw_name


def open_ledger(settings: Settings) -> Ledger:
    """The ledger of a home, which is made first where the ledger is a file in it."""
    if settings.database_url is None:
        Home(settings).make()
    return Ledger.open(settings.ledger_url)


def _read_secret(path: Path) -> str:
    text = path.read_text().strip()
    if not text:
        raise PermanentError(f"{path} is empty; delete it, and a new secret is made")
    return text
