"""The audit trail: appended to in the same transaction as what it tells, and checked link by link.

The head (how many entries, and the last hash) is kept beside the trail, so that entries cut off its end are missed.
Whoever can rewrite the whole database can forge a trail anew: an `anchor` kept elsewhere finds that too.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, select, update

from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import approvals, audit, audit_head, journal, votes
from tasks.clients.ledger.texts import storable
from tasks.domain.approval import Answer, Approval
from tasks.domain.audit import GENESIS, AuditEntry, AuditReport

_HEAD_ROW = 1
ANSWERED = ("answer.recorded", "answer.expired")
JOURNALLED = "journal"
"""Entries of this kind hold the SHA-256 of a line of an incident's journal instead of the line."""


def append(
    connection: Connection, kind: str, *, incident_id: str, actor: str, document: Mapping[str, object], at: datetime
) -> None:
    """Add one entry within the caller's transaction, which writes alone, so that entries never fork."""
    head = connection.execute(select(audit_head).where(audit_head.c.id == _HEAD_ROW)).first()
    if head is None:
        connection.execute(insert(audit_head).values(id=_HEAD_ROW, count=0, hash=GENESIS))
    count, previous = (head._mapping["count"], head.hash) if head is not None else (0, GENESIS)
    entry = AuditEntry(
        sequence=count + 1,
        at=at,
        kind=kind,
        incident_id=incident_id,
        actor=storable(actor)[:128],
        document=json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        hash="",
    )
    entry = entry.model_copy(update={"hash": entry.expected_hash(previous)})
    connection.execute(insert(audit).values(**entry.model_dump() | {"at": entry.at.isoformat()}))
    connection.execute(
        update(audit_head).where(audit_head.c.id == _HEAD_ROW).values(count=entry.sequence, hash=entry.hash)
    )


def append_journalled(
    connection: Connection, *, sequence: int, kind: str, incident_id: str, document: str, at: datetime
) -> None:
    """Bind one line of the journal to the trail."""
    told = {"sequence": sequence, "kind": kind, "sha256": hashlib.sha256(document.encode()).hexdigest()}
    append(connection, JOURNALLED, incident_id=incident_id, actor="healflow", document=told, at=at)


class Audit:
    """The trail as a whole."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, kind: str, *, incident_id: str, actor: str, document: Mapping[str, object], at: datetime) -> None:
        """Add one entry on its own."""
        with transaction(self._engine) as connection:
            append(connection, kind, incident_id=incident_id, actor=actor, document=document, at=at)

    def entries(self, *, incident_id: str | None = None) -> tuple[AuditEntry, ...]:
        """The trail in order, or one incident's part of it."""
        query = select(audit).order_by(audit.c.sequence)
        if incident_id is not None:
            query = query.where(audit.c.incident_id == incident_id)
        with reading(self._engine) as connection:
            return tuple(_read(connection, query))

    def verify(self, *, anchor: tuple[int, str] | None = None) -> AuditReport:
        """Check each link, the head, the journal's lines, the answers that count, and that the entry that `anchor[0]`
        numbers has the hash `anchor[1]`.
        """
        with reading(self._engine) as connection:
            entries = tuple(_read(connection, select(audit).order_by(audit.c.sequence)))
            head = connection.execute(select(audit_head)).first()
            lines = {
                row.sequence: hashlib.sha256(row.document.encode()).hexdigest()
                for row in connection.execute(select(journal.c.sequence, journal.c.document))
            }
            counted = connection.execute(select(approvals.c.answer).where(approvals.c.answer.is_not(None))).scalars()
            said = connection.execute(select(votes.c.document)).scalars()
            answers = [Approval.model_validate_json(text) for text in (*counted, *said)]
        count, last = (head._mapping["count"], head.hash) if head is not None else (0, GENESIS)
        problem = (
            _broken_link(entries)
            or _wrong_head(entries, count, last)
            or _wrong_anchor(entries, anchor)
            or _altered_line(entries, lines)
            or _untold_answer(entries, answers)
        )
        return AuditReport(entries=len(entries), head=entries[-1].hash if entries else GENESIS, problem=problem)


def _read(connection: Connection, query: object) -> Iterator[AuditEntry]:
    for row in connection.execute(query).mappings():  # type: ignore[call-overload]
        yield AuditEntry.model_validate(dict(row) | {"at": datetime.fromisoformat(row["at"]).astimezone(UTC)})


def _broken_link(entries: tuple[AuditEntry, ...]) -> str:
    previous = GENESIS
    for position, entry in enumerate(entries, 1):
        if entry.sequence != position:
            return f"entry {position} is missing: entry {entry.sequence} stands in its place"
        if entry.hash != entry.expected_hash(previous):
            return f"entry {position} ({entry.kind} of {entry.incident_id}) was altered, or moved from its place"
        previous = entry.hash
    return ""


def _wrong_head(entries: tuple[AuditEntry, ...], count: int, last: str) -> str:
    if len(entries) < count:
        return f"the end is cut off: {count} entries were written, and {len(entries)} are left"
    if len(entries) > count or (entries and entries[-1].hash != last):
        return f"the head does not fit: it tells of {count} entries, and there are {len(entries)}"
    return ""


def _wrong_anchor(entries: tuple[AuditEntry, ...], anchor: tuple[int, str] | None) -> str:
    if anchor is None:
        return ""
    count, known = anchor
    if count > len(entries) or (count > 0 and entries[count - 1].hash != known):
        return f"the trail was replaced: entry {count} is not the one that the anchor names"
    return ""


def _altered_line(entries: tuple[AuditEntry, ...], lines: Mapping[int, str]) -> str:
    bound: dict[int, str] = {}
    for entry in entries:
        if entry.kind == JOURNALLED:
            told = json.loads(entry.document)
            bound[told["sequence"]] = told["sha256"]
            if lines.get(told["sequence"]) != told["sha256"]:
                what = "altered" if told["sequence"] in lines else "deleted"
                return f"line {told['sequence']} of the journal ({told['kind']} of {entry.incident_id}) was {what}"
    slipped_in = [number for number in lines if number not in bound]
    if slipped_in and not entries:
        return f"the trail is empty, and the journal has {len(slipped_in)} lines"
    return f"line {min(slipped_in)} of the journal was added past the trail" if slipped_in else ""


def _untold_answer(entries: tuple[AuditEntry, ...], answers: Sequence[Approval]) -> str:
    """The first answer that counts and that the trail does not tell of, or tells of otherwise."""
    told: dict[tuple[str, str, datetime], Answer] = {}
    for entry in entries:
        if entry.kind in ANSWERED:
            document = json.loads(entry.document)
            told[document["request_id"], entry.actor, entry.at] = Answer(document.get("answer", Answer.EXPIRED))
    for one in answers:
        actor = one.identity.person if one.identity is not None else one.answered_by
        said = told.get((one.request_id, actor[:128], one.answered_at))
        joint = said is Answer.APPROVE_AND_MERGE and one.answer is Answer.APPROVE
        if said is not one.answer and not joint:
            return f"the answer to {one.request_id} ({one.answer} by {one.answered_by}) was written past the trail"
    return ""
