"""Opens the ledger's database and brings its schema to the newest revision."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.pool import Pool

from tasks.clients.ledger.turns import Turns
from tasks.errors import PermanentError, TransientError

HEAD_REVISION = "0010"
_READS = "healflow_reads"
BUSY_TIMEOUT_SECONDS = 30
"""How long a writer waits for another transaction on SQLite."""
_TURNS: WeakKeyDictionary[Pool, Turns] = WeakKeyDictionary()
"""An engine and its copies with other options share their pool."""


def make_engine(url: str) -> Engine:
    """Connect to `url`; a SQLite file's folder is made when it is missing."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself: _begin_immediate does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # Taking the write lock at the start avoids SQLITE_BUSY in the middle of a read-then-write transaction; who only
    # reads waits for nobody.
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def migrate(engine: Engine) -> None:
    """Apply the missing revisions; two processes that start at once apply them once."""
    if _revision(engine) == HEAD_REVISION:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(engine: Engine) -> str | None:
    with transaction(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _turn(engine: Engine) -> AbstractContextManager[None]:
    """Where only one transaction can write at a time, the turn of this one among those of this process."""
    if engine.dialect.name != "sqlite" or engine.get_execution_options().get(_READS, False):
        return nullcontext()
    return _TURNS.setdefault(engine.pool, Turns()).take(timeout_seconds=BUSY_TIMEOUT_SECONDS)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads: it sees one state of the ledger and waits for no writer."""
    options: dict[str, Any] = {_READS: True}
    if engine.dialect.name != "sqlite":  # which does so by itself; others show each statement what is newest
        options["isolation_level"] = "REPEATABLE READ"
    with transaction(engine.execution_options(**options)) as connection:
        yield connection


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction; a database that is locked, full, away or damaged is a TransientError, a refusal a
    PermanentError.
    """
    try:
        with _turn(engine), engine.begin() as connection:
            yield connection
    except (IntegrityError, DataError, ProgrammingError, NotSupportedError) as error:
        raise PermanentError(f"the ledger at {engine.url.render_as_string()} refused a write: {error.orig}") from error
    except DBAPIError as error:
        raise TransientError(
            f"the ledger at {engine.url.render_as_string()} did not answer ({error.orig}); it is tried again"
        ) from error
