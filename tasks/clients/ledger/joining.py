"""Joining: incidents that turn out to be about one cause become one, in one transaction or not at all."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, or_, select, update

from tasks.clients.ledger.engine import transaction
from tasks.clients.ledger.incidents import IN_FLIGHT, UNACTED, append_note
from tasks.clients.ledger.members import touch
from tasks.clients.ledger.memory import write_end
from tasks.clients.ledger.tables import group_keys, incidents, members
from tasks.domain.grouping import GroupedBy, GroupKey
from tasks.domain.outcome import Outcome

_FOUND_BY = (GroupedBy.FINGERPRINT, GroupedBy.TARGET)
"""The keys that go along: whatever tells of the same failure again finds it where it went."""


class Joining:
    """What incidents are about, as far as their triage has found out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def settle(
        self,
        incident_id: str,
        *,
        shared: Sequence[GroupKey],
        about: Sequence[GroupKey],
        end: Callable[[str], Outcome],
        repository: str,
        environment: str,
        at: datetime,
    ) -> str | None:
        """End an incident into the oldest other one in flight that has one of the keys `shared`, and return that; when
        there is none it stays, is found under the keys `about`, and `None` is returned.

        `end` draws its outcome from the id of the other one. Of two that are triaged at once one comes first here.
        """
        with transaction(self._engine) as connection:
            status = connection.execute(select(incidents.c.status).where(incidents.c.id == incident_id)).scalar()
            if status not in UNACTED:
                return None
            home = _home(connection, incident_id, shared)
            if home is None:
                for key in about:
                    touch(connection, incident_id, key, at)
                return None
            outcome, by = end(home[0]), home[1]
            write_end(connection, outcome, repository=repository, environment=environment, plan=None)
            connection.execute(update(incidents).where(incidents.c.id == incident_id).values(joined=home[0]))
            _move(connection, incident_id, home[0], by, at)
            append_note(connection, home[0], f"{incident_id} is about the same {by}, and joined it", at=at)
        return home[0]


def _home(connection: Connection, incident_id: str, shared: Sequence[GroupKey]) -> tuple[str, GroupKey] | None:
    if not shared:
        return None
    same = or_(*((group_keys.c.grouped_by == key.by) & (group_keys.c.value == key.value) for key in shared))
    query = (
        select(incidents.c.id, group_keys.c.grouped_by, group_keys.c.value)
        .join(group_keys, group_keys.c.incident_id == incidents.c.id)
        .where(same, IN_FLIGHT, incidents.c.id != incident_id)
        .order_by(incidents.c.opened_at, incidents.c.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return (row.id, GroupKey(by=GroupedBy(row.grouped_by), value=row.value)) if row is not None else None


def _move(connection: Connection, incident_id: str, home: str, by: GroupKey, at: datetime) -> None:
    moved = {"incident_id": home, "joined_by": str(by)[:400], "joined_at": at.isoformat()}
    connection.execute(update(members).where(members.c.incident_id == incident_id).values(**moved))
    query = select(group_keys).where(group_keys.c.incident_id == incident_id, group_keys.c.grouped_by.in_(_FOUND_BY))
    for row in connection.execute(query).mappings().all():
        touch(connection, home, GroupKey(by=GroupedBy(row["grouped_by"]), value=row["value"]), at)
