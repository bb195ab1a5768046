"""Bookmarks: up to when something outside was read, so that whoever reads on later misses nothing."""

from datetime import datetime

from sqlalchemy import Engine, delete, insert, select

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import bookmarks


class Bookmarks:
    """A moment for each thing that is read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> datetime | None:
        """Up to when it was read, `None` where it never was."""
        with reading(self._engine) as connection:
            at = connection.execute(select(bookmarks.c.at).where(bookmarks.c.name == name)).scalar()
        return datetime.fromisoformat(at) if at is not None else None

    def put(self, name: str, at: datetime) -> None:
        """Note that it was read up to then."""
        with transaction(self._engine) as connection:
            connection.execute(delete(bookmarks).where(bookmarks.c.name == name))
            connection.execute(insert(bookmarks).values(name=name, at=at.isoformat()))
