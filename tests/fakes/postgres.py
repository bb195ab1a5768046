"""A PostgreSQL server of the test session's own: data in a temporary folder, a Unix socket, no port.

HEALFLOW_TEST_POSTGRES names the folder of `initdb` and `pg_ctl`; without it they are looked for on PATH and where Debian
keeps them. They refuse to run as root, so they run as the user `postgres` or `nobody` then.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.clients.ledger import Ledger

_SETTINGS = """
fsync = off
full_page_writes = off
autovacuum = off
shared_buffers = 16MB
max_connections = 60
listen_addresses = ''
unix_socket_directories = '{folder}'
"""
"""Nothing of it has to outlive the machine."""
_MIGRATED = "migrated"


class Postgres:
    """One server, stopped and started at will, with as many ledgers as are asked for."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder, self._numbers = binaries, folder, itertools.count(1)
        self._owner: dict[str, Any] = _other_than_root()
        if self._owner:
            os.chown(folder, pwd.getpwnam(self._owner["user"]).pw_uid, -1)
        made = ("--no-sync", "--auth=trust", "--username=healflow", "--encoding=UTF8", "--locale=C")
        # This order of words is the furthest from that of bytes, by which SQLite sorts.
        self._run("initdb", *made, "--locale-provider=icu", "--icu-locale=en-US", "-D", "data")
        with (folder / "data/postgresql.conf").open("a") as conf:
            conf.write(_SETTINGS.format(folder=folder))
        self.start()
        Ledger.open(self.empty(_MIGRATED)).close()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run("pg_ctl", "start", "-w", "-t", "120", "-D", "data", "-l", "log")

    def stop(self) -> None:
        """End it at once, whoever is connected, as a crash does."""
        self._run("pg_ctl", "stop", "-w", "-t", "120", "-m", "immediate", "-D", "data")

    def empty(self, name: str = "", *, encoding: str = "UTF8") -> str:
        """The URL of a new database without any table."""
        order = "" if encoding == "UTF8" else f" ENCODING '{encoding}' LOCALE_PROVIDER libc"
        return self._create(name, f"template0{order}")

    def migrated(self) -> str:
        """The URL of a new database with the tables of a ledger."""
        return self._create("", _MIGRATED)

    def _create(self, name: str, template: str) -> str:
        import psycopg

        name = name or f"ledger_{next(self._numbers)}"
        with psycopg.connect(host=str(self._folder), user="healflow", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return f"postgresql://healflow@/{name}?host={self._folder}"

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._binaries / name), *arguments]
        ended = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._owner)
        log = self._folder / "log"
        told = log.read_text()[-2000:] if log.exists() else ""
        assert ended.returncode == 0, f"{name} failed: {ended.stderr or ended.stdout}\n{told}"


@contextmanager
def running() -> Iterator[Postgres | str]:
    """A server for as long as the block lasts, or why there is none."""
    if find_spec("psycopg") is None:
        yield "the driver psycopg is not installed"
        return
    binaries = _binaries()
    if binaries is None:
        yield "no PostgreSQL server is installed; HEALFLOW_TEST_POSTGRES names the folder of initdb"
        return
    # A socket's path is short, and the other user has to come there: TMPDIR may be neither.
    folder = Path(tempfile.mkdtemp(prefix="healflow-postgres-", dir="/tmp"))
    try:
        server = Postgres(binaries, folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    named = os.environ.get("HEALFLOW_TEST_POSTGRES")
    if named:
        return Path(named)
    if found:
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name), default=None)


def _other_than_root() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    known = {one.pw_name: one for one in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    return {"user": user.pw_name, "group": user.pw_gid, "extra_groups": []}
