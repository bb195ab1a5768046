"""A ledger on SQLite that refuses one kind of write, as if the process had been killed right before it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def broken_before(folder: Path, write: str) -> Iterator[None]:
    """`write` is how a trigger names it: `INSERT ON outcomes`; the transaction that comes to it is taken back."""
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute(f"CREATE TRIGGER broken BEFORE {write} BEGIN SELECT RAISE(ABORT, 'killed'); END")
        connection.commit()
        try:
            yield
        finally:
            connection.execute("DROP TRIGGER broken")
            connection.commit()
