"""Leases: one heal at a time works on one target. A lease ends by itself, so that a killed process blocks nobody."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update

from tasks.clients.ledger.engine import transaction
from tasks.clients.ledger.tables import leases


class Leases:
    """Who works on what."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, name: str, holder: str, *, now: datetime, seconds: float) -> str:
        """Take or renew the lease of a name; returns who holds it now, which is `holder` on success."""
        until = (now + timedelta(seconds=seconds)).isoformat()
        with transaction(self._engine) as connection:
            row = connection.execute(select(leases).where(leases.c.name == name)).mappings().first()
            if row is None:
                connection.execute(insert(leases).values(name=name, holder=holder, until=until))
                return holder
            if row["holder"] != holder and row["until"] > now.isoformat():
                return str(row["holder"])
            connection.execute(update(leases).where(leases.c.name == name).values(holder=holder, until=until))
            return holder

    def release(self, name: str, holder: str) -> None:
        """Give it back; a lease that another took over meanwhile stays theirs."""
        with transaction(self._engine) as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
