"""What a later run of a heal has to know of an earlier one: what it asks about or does, and what it waits for."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import heals
from tasks.domain.base import Noun, UtcTime

FIRST_DELAY_SECONDS = 60
LONGEST_DELAY_SECONDS = 15 * 60
ONE_OUTAGE = timedelta(hours=1)
"""Delays that are further apart than this are of two outages."""


class Delay(Noun):
    """Something outside was away, so that the heal is tried again later."""

    times: int
    since: UtcTime
    until: UtcTime
    reason: str

    def lasts(self, now: datetime) -> bool:
        """Whether it is part of an outage that goes on, as far as anyone knows."""
        return now - self.until < ONE_OUTAGE


class Heals:
    """At most one row for each incident."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, incident_id: str, document: str) -> None:
        """Keep what the heal asks about or acts on, instead of what was kept before."""
        with transaction(self._engine) as connection:
            _make_row(connection, incident_id)
            connection.execute(update(heals).where(heals.c.incident_id == incident_id).values(kept=document))

    def kept(self, incident_id: str) -> str | None:
        """What an earlier run of the heal kept, `None` when none came so far."""
        query = select(heals.c.kept).where(heals.c.incident_id == incident_id)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def postpone(self, incident_id: str, reason: str, *, now: datetime) -> Delay:
        """Let the next run wait: a minute at first, twice as long each time, at most a quarter of an hour."""
        with transaction(self._engine) as connection:
            _make_row(connection, incident_id)
            before = _delay(connection, incident_id)
            times = before.times if before else 0
            same = before is not None and before.lasts(now)
            seconds = min(FIRST_DELAY_SECONDS * 2 ** (times if same else 0), LONGEST_DELAY_SECONDS)
            delay = Delay(
                times=times + 1,
                since=before.since if before is not None and same else now,
                until=now + timedelta(seconds=seconds),
                reason=reason[:2000],
            )
            connection.execute(
                update(heals)
                .where(heals.c.incident_id == incident_id)
                .values(
                    delays=delay.times,
                    delayed_since=delay.since.isoformat(),
                    delayed_until=delay.until.isoformat(),
                    delay_reason=delay.reason,
                )
            )
        return delay

    def delay(self, incident_id: str) -> Delay | None:
        """The newest delay, also one that is over; `None` when nothing was ever waited for."""
        with reading(self._engine) as connection:
            return _delay(connection, incident_id)


def _make_row(connection: Connection, incident_id: str) -> None:
    query = select(heals.c.incident_id).where(heals.c.incident_id == incident_id)
    if connection.execute(query).first() is None:
        connection.execute(insert(heals).values(incident_id=incident_id, delays=0))


def _delay(connection: Connection, incident_id: str) -> Delay | None:
    query = select(heals).where(heals.c.incident_id == incident_id, heals.c.delays > 0)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Delay(
        times=row["delays"],
        since=datetime.fromisoformat(row["delayed_since"]),
        until=datetime.fromisoformat(row["delayed_until"]),
        reason=row["delay_reason"],
    )
