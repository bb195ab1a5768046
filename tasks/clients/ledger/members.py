"""Members: the failures that one incident stands for, the first of which opened it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, exists, func, insert, not_, or_, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.incidents import UNACTED, append_note, open_in, reopen
from tasks.clients.ledger.tables import group_keys, incidents, members
from tasks.domain.grouping import Following, Gathering, GroupedBy, GroupKey, Member
from tasks.domain.incident import IncidentStatus, Resolved, Signal, name_of

AFTER = "after "
"""How the first member of an incident joined it that is there for what another one left."""
_FAILING = (members.c.said_well_at.is_(None), members.c.resolved_at.is_(None))


class Members:
    """Failures by incident, and the keys under which further ones find it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def incident_of(self, key: str) -> str | None:
        """The incident that a failure belongs to already, by its signal's key."""
        query = select(members.c.incident_id).where(members.c.key == key)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def gatherings(self, keys: Sequence[GroupKey]) -> tuple[Gathering, ...]:
        """The newest incidents that have one of the keys."""
        if not keys:
            return ()
        shared = or_(*((group_keys.c.grouped_by == key.by) & (group_keys.c.value == key.value) for key in keys))
        query = (
            select(group_keys, incidents.c.status)
            .join(incidents, incidents.c.id == group_keys.c.incident_id)
            .where(shared)
            .order_by(group_keys.c.newest_at.desc())
            .limit(20)
        )
        with reading(self._engine) as connection:
            return tuple(_gathering(row) for row in connection.execute(query).mappings())

    def add(
        self,
        incident_id: str,
        signal: Signal,
        *,
        key: str,
        joined_by: GroupKey | None,
        keys: Sequence[GroupKey],
        at: datetime,
    ) -> bool:
        """Write a member down with the keys that it brings; false when it stood there already. What was for an
        incident that joined another one goes there."""
        with transaction(self._engine) as connection:
            incident_id = _where_it_went(connection, incident_id)
            known = connection.execute(select(members.c.key).where(members.c.key == key)).first()
            if known is None:
                connection.execute(
                    insert(members).values(
                        key=key,
                        incident_id=incident_id,
                        source=signal.source,
                        fingerprint=name_of(signal),
                        joined_by=str(joined_by or ""),
                        joined_at=at.isoformat(),
                        document=signal.model_dump_json(),
                    )
                )
            for one in keys:
                touch(connection, incident_id, one, at)
        return known is None

    def of_incident(self, incident_id: str, *, limit: int = 200) -> tuple[Member, ...]:
        """The members of an incident in the order in which they came, the first `limit` of them."""
        query = (
            select(members)
            .where(members.c.incident_id == incident_id)
            .order_by(members.c.joined_at, members.c.joined_by, members.c.key)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return tuple(_member(row) for row in connection.execute(query).mappings())

    def count(self, incident_id: str, *, failing_only: bool = False) -> int:
        """How many members an incident has, or how many of them nobody called well again."""
        with reading(self._engine) as connection:
            return count_members(connection, incident_id, *(_FAILING if failing_only else ()))

    def generation(self, incident_id: str, *, most: int) -> int:
        """How many incidents came one after the other, each for what the one before had left, until this one; counted
        up to `most`."""
        for count in range(most):
            first = self.of_incident(incident_id, limit=1)
            if not first or not first[0].joined_by.startswith(AFTER):
                return count
            incident_id = first[0].joined_by.removeprefix(AFTER)
        return most

    def resolve(self, end: Resolved) -> tuple[str, ...]:
        """Note that a failure is well again, as its sender says, which counts where nothing can be looked at; returns
        the incidents that it belongs to, whole ones or not."""
        same = (members.c.source == end.source) & (members.c.fingerprint == end.fingerprint)
        with transaction(self._engine) as connection:
            rows = connection.execute(select(members).where(same)).mappings().all()
            begun = [row for row in rows if _member(row).signal.occurred_at <= end.resolved_at]
            for row in begun:
                if row["said_well_at"] is None and row["resolved_at"] is None:
                    at = {"said_well_at": end.resolved_at.isoformat()}
                    if _member(row).signal.cluster is None:
                        at["resolved_at"] = at["said_well_at"]
                    connection.execute(update(members).where(members.c.key == row["key"]).values(**at))
        return tuple(dict.fromkeys(row["incident_id"] for row in begun))

    def called_well(self, *, limit: int) -> tuple[str, ...]:
        """The incidents that have not acted and all of whose failures were called well again, the oldest first."""
        own = members.c.incident_id == incidents.c.id
        query = (
            select(incidents.c.id)
            .where(
                incidents.c.status.in_(UNACTED),
                exists().where(own, members.c.said_well_at.is_not(None)),
                not_(exists().where(own, *_FAILING)),
            )
            .order_by(incidents.c.opened_at, incidents.c.id)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return tuple(connection.execute(query).scalars())

    def to_look_at(self, incident_id: str) -> tuple[Member, ...]:
        """The members of an incident that were called well again, which does not count before they are looked at."""
        here = (members.c.incident_id == incident_id, members.c.said_well_at.is_not(None))
        query = select(members).where(*here, members.c.resolved_at.is_(None)).order_by(members.c.joined_at)
        with reading(self._engine) as connection:
            return tuple(_member(row) for row in connection.execute(query).mappings())

    def believe(self, incident_id: str, *, at: datetime) -> None:
        """Note that what was called well again is, for it was looked at."""
        called = (members.c.said_well_at.is_not(None), members.c.resolved_at.is_(None))
        with transaction(self._engine) as connection:
            here = update(members).where(members.c.incident_id == incident_id, *called)
            connection.execute(here.values(resolved_at=at.isoformat()))


def count_members(connection: Connection, incident_id: str, *only: ColumnElement[bool]) -> int:
    """`Members.count` within the caller's transaction, of those of which all of `only` holds."""
    query = select(func.count()).select_from(members).where(members.c.incident_id == incident_id, *only)
    return int(connection.execute(query).scalar_one())


def hand_over(connection: Connection, incident_id: str, following: Following, *, at: datetime) -> int:
    """Open the incident for what another one left, within the caller's transaction; returns how many failures go over
    to it. What is well by now stays, and when all is, nothing is opened."""
    left = (
        (members.c.incident_id == incident_id) & members.c.resolved_at.is_(None) & members.c.key.in_(following.members)
    )
    if connection.execute(select(members.c.key).where(left, members.c.key == following.members[0])).first() is None:
        return 0
    opened = open_in(connection, following.incident)
    if opened.status is IncidentStatus.JOINED:
        reopen(connection, opened.id)
    own = members.c.key == following.incident.key
    connection.execute(update(members).where(own).values(joined_by=f"{AFTER}{incident_id}"))
    moved = connection.execute(update(members).where(left).values(incident_id=opened.id)).rowcount
    for key in following.found_by:
        touch(connection, opened.id, key, at)
    told = f"still fails after {incident_id} ended, as {moved - 1} more failures of it do"
    append_note(connection, opened.id, told, at=at)
    return moved


def _where_it_went(connection: Connection, incident_id: str) -> str:
    """The incident itself, or the one that it joined, and that one."""
    joined = select(incidents.c.joined).where(incidents.c.id == incident_id)
    other = connection.execute(joined).scalar()
    return _where_it_went(connection, other) if other is not None else incident_id


def touch(connection: Connection, incident_id: str, key: GroupKey, at: datetime) -> None:
    """Let an incident be found under a key, within the caller's transaction."""
    here = (group_keys.c.incident_id == incident_id) & (group_keys.c.grouped_by == key.by)
    here &= group_keys.c.value == key.value
    newest = connection.execute(select(group_keys.c.newest_at).where(here)).scalar()
    if newest is None:
        row = {"incident_id": incident_id, "grouped_by": key.by, "value": key.value, "newest_at": at.isoformat()}
        connection.execute(insert(group_keys).values(**row))
    elif newest < at.isoformat():
        connection.execute(update(group_keys).where(here).values(newest_at=at.isoformat()))


def _gathering(row: RowMapping) -> Gathering:
    return Gathering(
        incident_id=row["incident_id"],
        key=GroupKey(by=GroupedBy(row["grouped_by"]), value=row["value"]),
        status=IncidentStatus(row["status"]),
        newest_at=datetime.fromisoformat(row["newest_at"]),
    )


def _member(row: RowMapping) -> Member:
    return Member(
        signal=Signal.model_validate_json(row["document"]),
        joined_by=row["joined_by"],
        joined_at=datetime.fromisoformat(row["joined_at"]),
        said_well_at=datetime.fromisoformat(row["said_well_at"]) if row["said_well_at"] else None,
        resolved_at=datetime.fromisoformat(row["resolved_at"]) if row["resolved_at"] else None,
    )
