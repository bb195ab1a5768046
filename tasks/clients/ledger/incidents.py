"""Incidents and their journal: what is known, in the order in which it became known."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, delete, func, insert, not_, select, update

from tasks.clients.ledger.audit import append_journalled
from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import incidents, journal, outcomes
from tasks.domain.base import Noun, UtcTime
from tasks.domain.incident import Incident, IncidentStatus, SignalKind
from tasks.errors import NotFoundError

UNACTED = (IncidentStatus.OPEN, IncidentStatus.TRIAGED, IncidentStatus.WAITING)
"""In flight, and nothing was done yet: it may go away by itself."""
IN_FLIGHT = incidents.c.status.in_([status for status in IncidentStatus if not status.ended])
_RELEASE = incidents.c.document.contains(f'"kind":"{SignalKind.RELEASE}"')
"""In a text inside of the document these quotes would be escaped."""
_UNSTARTED = (incidents.c.flow_run_id.is_(None), IN_FLIGHT, not_(_RELEASE))


class EntryKind(StrEnum):
    """What a journal entry holds; each but `NOTE` is the JSON of the noun with that name."""

    SIGNAL = "signal"
    EVIDENCE = "evidence"
    DIAGNOSIS = "diagnosis"
    PLAN = "plan"
    DECISION = "decision"
    ASKED = "asked"
    ANSWER = "answer"
    INTENT = "intent"
    ACTION_RESULT = "action_result"
    VERIFICATION = "verification"
    UNDO = "undo"
    OUTCOME = "outcome"
    NOTE = "note"


class JournalEntry(Noun):
    """One line of an incident's story."""

    sequence: int
    kind: EntryKind
    at: UtcTime
    document: str
    """JSON."""


class StoredIncident(Noun):
    """An incident with the state of its handling."""

    incident: Incident
    flow_run_id: str | None
    dispatches: int
    """How often a flow run was started for it."""


class Incidents:
    """Incidents, one row each, and the append-only journal."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, incident: Incident) -> Incident:
        """Store an incident, or return the one that already has its key."""
        with transaction(self._engine) as connection:
            return open_in(connection, incident)

    def get(self, incident_id: str) -> StoredIncident:
        """The incident with that id, or with that beginning of an id when only one has it.

        Raises:
            NotFoundError: none or several have it.
        """
        with reading(self._engine) as connection:
            query = select(incidents).where(incidents.c.id.startswith(incident_id, autoescape=True)).limit(2)
            rows = connection.execute(query).mappings().all()
        if len(rows) != 1 or not incident_id:
            which = "no incident has" if not rows else "several incidents have"
            raise NotFoundError(f"{which} the id {incident_id!r}; 'healflow incidents' lists them")
        return _stored(rows[0])

    def of_run(self, flow_run_id: str) -> StoredIncident | None:
        """The incident that this flow run handles now, `None` when there is none."""
        query = select(incidents).where(incidents.c.flow_run_id == flow_run_id).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return _stored(row) if row is not None else None

    def newest(self, *, limit: int = 50, in_flight_only: bool = False) -> tuple[StoredIncident, ...]:
        """The newest incidents first."""
        query = select(incidents).order_by(incidents.c.opened_at.desc(), incidents.c.id).limit(limit)
        if in_flight_only:
            query = query.where(IN_FLIGHT)
        return self._read(query)

    def unstarted(self, *, limit: int) -> tuple[StoredIncident, ...]:
        """Those in flight that no flow run was started for yet, the oldest first."""
        query = select(incidents).where(*_UNSTARTED)
        return self._read(query.order_by(incidents.c.opened_at, incidents.c.id).limit(limit))

    def count_unstarted(self) -> int:
        """How many those are."""
        query = select(func.count()).select_from(incidents).where(*_UNSTARTED)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def held_releases(self) -> tuple[StoredIncident, ...]:
        """The releases that wait for a person in a deploy outside of Prefect."""
        return self._read(select(incidents).where(incidents.c.flow_run_id.is_(None), IN_FLIGHT, _RELEASE))

    def in_runs(self, *, after: str, limit: int) -> tuple[StoredIncident, ...]:
        """Those in flight that have a flow run, in the order of their ids from `after` on."""
        query = select(incidents).where(incidents.c.flow_run_id.is_not(None), IN_FLIGHT, incidents.c.id > after)
        return self._read(query.order_by(incidents.c.id).limit(limit))

    def counts(self) -> dict[IncidentStatus, int]:
        """How many incidents there are of each status."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(incidents.c.status, func.count()).group_by(incidents.c.status))
            return {IncidentStatus(status): count for status, count in rows}

    def _read(self, query: Select[Any]) -> tuple[StoredIncident, ...]:
        with reading(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def set_status(self, incident_id: str, status: IncidentStatus) -> bool:
        """Move an incident on; an ended one stays as it ended, except that a healed one can be undone.

        Returns whether the status is now `status`.
        """
        with transaction(self._engine) as connection:
            return move(connection, incident_id, status)

    def set_flow_run(self, incident_id: str, flow_run_id: str) -> int:
        """Note the flow run that handles the incident; returns how many runs there were."""
        with transaction(self._engine) as connection:
            connection.execute(
                update(incidents)
                .where(incidents.c.id == incident_id)
                .values(flow_run_id=flow_run_id, dispatches=incidents.c.dispatches + 1)
            )
            count = connection.execute(select(incidents.c.dispatches).where(incidents.c.id == incident_id)).scalar()
        return int(count or 0)

    def write(self, incident_id: str, kind: EntryKind, noun: Noun, *, at: datetime) -> None:
        """Append to the journal; an entry equal to the newest of its kind is not written again."""
        with transaction(self._engine) as connection:
            append_entry(connection, incident_id, kind, noun.model_dump_json(), at=at)

    def note(self, incident_id: str, text: str, *, at: datetime) -> None:
        """Append a sentence for the operator."""
        with transaction(self._engine) as connection:
            append_note(connection, incident_id, text, at=at)

    def journal(self, incident_id: str) -> tuple[JournalEntry, ...]:
        """The incident's story, oldest first."""
        query = select(journal).where(journal.c.incident_id == incident_id).order_by(journal.c.sequence)
        with reading(self._engine) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            JournalEntry(
                sequence=row["sequence"],
                kind=EntryKind(row["kind"]),
                at=datetime.fromisoformat(row["at"]),
                document=row["document"],
            )
            for row in rows
        )


def open_in(connection: Connection, incident: Incident) -> Incident:
    """`Incidents.open` within the caller's transaction."""
    row = connection.execute(select(incidents).where(incidents.c.key == incident.key)).mappings().first()
    if row is not None:
        return _stored(row).incident
    connection.execute(
        insert(incidents).values(
            id=incident.id,
            key=incident.key,
            status=incident.status,
            opened_at=incident.opened_at.isoformat(),
            dispatches=0,
            document=incident.model_dump_json(),
        )
    )
    append_entry(connection, incident.id, EntryKind.SIGNAL, incident.signal.model_dump_json(), at=incident.opened_at)
    return incident


def reopen(connection: Connection, incident_id: str) -> None:
    """Let an incident that had joined another one be healed by itself after all, within the caller's transaction."""
    connection.execute(delete(outcomes).where(outcomes.c.incident_id == incident_id))
    fresh = {"status": IncidentStatus.OPEN, "joined": None, "flow_run_id": None}
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(**fresh))


def append_note(connection: Connection, incident_id: str, text: str, *, at: datetime) -> None:
    """`Incidents.note` within the caller's transaction."""
    append_entry(connection, incident_id, EntryKind.NOTE, json.dumps({"text": text}), at=at)


def append_entry(connection: Connection, incident_id: str, kind: EntryKind, document: str, *, at: datetime) -> None:
    """Append to the journal within the caller's transaction, unless the newest entry of the kind is the same."""
    newest = (
        select(journal.c.document)
        .where(journal.c.incident_id == incident_id, journal.c.kind == kind)
        .order_by(journal.c.sequence.desc())
        .limit(1)
    )
    if connection.execute(newest).scalar() == document:
        return
    added = connection.execute(
        insert(journal)
        .values(incident_id=incident_id, kind=kind, at=at.isoformat(), document=document)
        .returning(journal.c.sequence)
    ).scalar_one()
    append_journalled(connection, sequence=added, kind=kind, incident_id=incident_id, document=document, at=at)


def move(connection: Connection, incident_id: str, status: IncidentStatus) -> bool:
    """`Incidents.set_status` within the caller's transaction. What acts goes on to its proof and is not *resolved*."""
    current = connection.execute(select(incidents.c.status).where(incidents.c.id == incident_id)).scalar()
    if current is None:
        raise NotFoundError(f"no incident has the id {incident_id!r}")
    if status is IncidentStatus.RESOLVED and current == IncidentStatus.ACTING:
        return False
    undoing = status is IncidentStatus.UNDONE and current in (IncidentStatus.HEALED, IncidentStatus.OFFERED)
    if IncidentStatus(current).ended and not undoing:
        return bool(current == status)
    connection.execute(update(incidents).where(incidents.c.id == incident_id).values(status=status))
    return True


def _stored(row: RowMapping) -> StoredIncident:
    incident = Incident.model_validate_json(row["document"])
    return StoredIncident(
        incident=incident.model_copy(update={"status": IncidentStatus(row["status"])}),
        flow_run_id=row["flow_run_id"],
        dispatches=row["dispatches"],
    )
