"""A ledger on PostgreSQL: one writer at a time, as on SQLite, and readers that see one state of it."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from tasks.errors import PermanentError

CONNECT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 30
"""How long a writer waits for the one before it, as on SQLite."""
IDLE_TIMEOUT_SECONDS = 120
"""After so long without a word in a transaction, its process is taken for gone and the next one writes."""
WRITERS_LOCK = 0x4845_414C
"""`HEAL`. Every writing transaction begins by taking it, so that no two of them read before one of them has written:
the audit trail cannot fork, and what is looked for and then inserted stays missing in between.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS"""
READS: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""What a transaction that only reads is begun with: it sees one state however many statements it has."""


def make_postgresql(url: URL, *, reads: str, pool_timeout_seconds: float) -> Engine:
    """Connect to `url`; `reads` is the execution option of the connections that only read."""
    connect_args = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    engine = create_engine(url, pool_pre_ping=True, pool_timeout=pool_timeout_seconds, connect_args=connect_args)
    event.listen(engine, "connect", _prepare)

    def take_turns(connection: Connection) -> None:
        if not connection.get_execution_options().get(reads, False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")

    event.listen(engine, "begin", take_turns)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_SECONDS}s'")
    connection.commit()


def check_encoding(connection: Connection) -> None:
    """Refuse a database that cannot hold every text.

    Raises:
        PermanentError: its encoding is not UTF-8.
    """
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        name = connection.engine.url.database
        raise PermanentError(f"the database {name!r} has the encoding {encoding}: make one with ENCODING 'UTF8'")
