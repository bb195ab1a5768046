"""Leases: one heal at a time works on one target. A lease ends by itself, so that a killed process blocks nobody."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import leases

_RUN = "run"


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

    def sign(self, run_id: str, *, now: datetime, seconds: float) -> None:
        """A sign of life of a flow run, good for so many seconds."""
        self.take(f"run:{run_id}", _RUN, now=now, seconds=seconds)

    def silent(self, run_id: str, *, now: datetime, seconds: float) -> bool:
        """Whether a run that should live has given no sign; for one that is first asked about the time begins now."""
        with reading(self._engine) as connection:
            query = select(leases.c.until).where(leases.c.name == f"run:{run_id}")
            until = connection.execute(query).scalar()
        if until is None:
            self.sign(run_id, now=now, seconds=seconds)
        return until is not None and datetime.fromisoformat(until) < now

    def forget(self, run_id: str) -> None:
        """No sign is expected of a run: it waits, or has ended."""
        self.release(f"run:{run_id}", _RUN)

    def release(self, name: str, holder: str) -> None:
        """Give it back; a lease that another took over meanwhile stays theirs."""
        with transaction(self._engine) as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))
