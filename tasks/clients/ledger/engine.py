"""Opens the ledger's database and brings its schema to the newest revision."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import (
    TimeoutError as NoConnectionLeft,
)
from sqlalchemy.pool import Pool

from tasks.clients.ledger.postgresql import READS, check_encoding, make_postgresql
from tasks.clients.ledger.turns import Turns
from tasks.errors import PermanentError, TransientError

HEAD_REVISION = "0011"
_READS = "healflow_reads"
BUSY_TIMEOUT_SECONDS = 30
"""How long a writer waits for another transaction on SQLite."""
_TURNS: WeakKeyDictionary[Pool, Turns] = WeakKeyDictionary()
"""An engine and its copies with other options share their pool."""
POOL_TIMEOUT_SECONDS = 30
"""How long a thread waits for a connection when all of this process are in use."""
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_FORM = "sqlite:////FOLDER/ledger.db or postgresql://USER:PASSWORD@HOST/DATABASE"


def make_engine(url: str) -> Engine:
    """Connect to `url`; a SQLite file's folder is made when it is missing, and readable by its owner only.

    Raises:
        PermanentError: it is the address of no SQLite or PostgreSQL database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:  # no `from`: its text repeats the URL, with the password
        raise PermanentError(f"HEALFLOW_DATABASE_URL is no address of a database; it has the form {_FORM}") from None
    if parsed.drivername not in _DRIVERS:
        raise PermanentError(f"HEALFLOW_DATABASE_URL begins with {parsed.drivername!r}; it has the form {_FORM}")
    try:
        return _make_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _make_postgresql(parsed)
    except ImportError as error:
        raise PermanentError(
            f"the ledger at {parsed.render_as_string()} needs a driver that is not installed ({error}): "
            "install it with pip install 'healflow[postgres]', or psycopg[binary] beside Healflow"
        ) from error


def _make_postgresql(url: URL) -> Engine:
    return make_postgresql(url, reads=_READS, pool_timeout_seconds=POOL_TIMEOUT_SECONDS)


def _make_sqlite(url: URL) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pool = {"pool_timeout": POOL_TIMEOUT_SECONDS} if url.database not in (None, "", ":memory:") else {}
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, **pool)
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
        if engine.dialect.name == "postgresql":
            check_encoding(connection)
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
    options = {_READS: True, **(READS if engine.dialect.name == "postgresql" else {})}
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
    except NoConnectionLeft as error:
        raise TransientError(
            f"all connections of this process to the ledger at {engine.url.render_as_string()} were in use for "
            f"{POOL_TIMEOUT_SECONDS:g} s; it is tried again"
        ) from error
