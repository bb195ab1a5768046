"""Approval requests and their one answer."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update

from tasks.clients.ledger.audit import append
from tasks.clients.ledger.engine import reading, transaction
from tasks.clients.ledger.tables import approvals, incidents, snoozes, votes
from tasks.domain.approval import Approval, ApprovalRequest, Attempt, Judgement, Refusal
from tasks.domain.base import Noun, UtcTime
from tasks.domain.incident import IncidentStatus
from tasks.errors import NotFoundError


class StoredApproval(Noun):
    """A question, its answer once there is one, and whether the waiting run has been told."""

    request: ApprovalRequest
    votes: tuple[Approval, ...] = ()
    """Who said yes so far, where more than one person has to."""
    answer: Approval | None = None
    snoozed_until: UtcTime | None = None
    """Until when nobody wants to be reminded; like `votes` it is read by `get` alone."""
    resumed: bool = False
    used: bool = False


class Approvals:
    """Questions to people. Each is answered once and used once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, request: ApprovalRequest) -> ApprovalRequest:
        """Store a question; the same question again (a resumed run) is the stored one, with its first deadline."""
        with transaction(self._engine) as connection:
            row = connection.execute(select(approvals).where(approvals.c.request_id == request.id)).mappings().first()
            if row is not None:
                return _stored(row).request
            connection.execute(
                insert(approvals).values(
                    request_id=request.id,
                    incident_id=request.incident_id,
                    plan_digest=request.plan_digest,
                    deadline=request.deadline.isoformat(),
                    request=request.model_dump_json(),
                    resumed=False,
                )
            )
        return request

    def decide(self, attempt: Attempt, verdict: Callable[[StoredApproval, IncidentStatus], Judgement]) -> Judgement:
        """Let `verdict` judge an attempt and record what it says, all in one transaction; refusals go to the audit.

        Raises:
            NotFoundError: there is no such question; that is in the audit too.
        """
        with transaction(self._engine) as connection:
            stored = _find(connection, attempt.request_id)
            if stored is None:
                _audit(connection, attempt, "", Judgement(refusal=Refusal.UNKNOWN, message="no such question"))
        if stored is None:
            raise NotFoundError(f"there is no approval request {attempt.request_id[:80]!r}")
        with transaction(self._engine) as connection:
            stored = _find(connection, attempt.request_id) or stored
            query = select(incidents.c.status).where(incidents.c.id == stored.request.incident_id)
            judgement = verdict(stored, IncidentStatus(connection.execute(query).scalar_one()))
            if judgement.approval is not None:
                _record(connection, judgement.approval, settles=judgement.settles)
            if judgement.snoozed_until is not None:
                _snooze(connection, attempt, judgement.snoozed_until)
            _audit(connection, attempt, stored.request.incident_id, judgement)
        return judgement

    def expire(self, silence: Approval) -> bool:
        """Record that nobody answered; false when somebody had."""
        with transaction(self._engine) as connection:
            return expire_in(connection, silence)

    def use(self, request_id: str, *, at: datetime) -> bool:
        """Use an approval up; false when it was used before."""
        with transaction(self._engine) as connection:
            result = connection.execute(
                update(approvals)
                .where(approvals.c.request_id == request_id, approvals.c.used_at.is_(None))
                .values(used_at=at.isoformat())
            )
            stored = _find(connection, request_id)
            if result.rowcount == 1 and stored is not None:
                document = {"request_id": request_id, "plan_digest": stored.request.plan_digest}
                incident_id = stored.request.incident_id
                append(connection, "approval.used", incident_id=incident_id, actor="healflow", document=document, at=at)
            return result.rowcount == 1

    def get(self, request_id: str) -> StoredApproval | None:
        """The question with that id, `None` when it was never asked."""
        with reading(self._engine) as connection:
            return _find(connection, request_id)

    def of_incident(self, incident_id: str) -> tuple[StoredApproval, ...]:
        """All questions about one incident, in the order in which they were asked."""
        query = select(approvals).where(approvals.c.incident_id == incident_id).order_by(approvals.c.deadline)
        with reading(self._engine) as connection:
            found = [_stored(row) for row in connection.execute(query).mappings()]
        return tuple(sorted(found, key=lambda one: one.request.asked_at))

    def asked_after(self, request: ApprovalRequest) -> ApprovalRequest | None:
        """The newest question about the same incident, where it was asked later than this one."""
        newest = self.of_incident(request.incident_id)[-1].request
        return newest if newest.asked_at > request.asked_at else None

    def unanswered(self) -> tuple[StoredApproval, ...]:
        """The questions that still wait."""
        query = select(approvals).where(approvals.c.answer.is_(None)).order_by(approvals.c.deadline)
        with reading(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def count_unanswered(self) -> int:
        """How many questions still wait."""
        query = select(func.count()).select_from(approvals).where(approvals.c.answer.is_(None))
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def to_resume(self) -> tuple[StoredApproval, ...]:
        """The answered questions whose flow run has not been told yet."""
        query = select(approvals).where(approvals.c.answer.is_not(None), approvals.c.resumed.is_(False))
        with reading(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def mark_resumed(self, request_id: str) -> None:
        """Note that the flow run knows the answer."""
        with transaction(self._engine) as connection:
            connection.execute(update(approvals).where(approvals.c.request_id == request_id).values(resumed=True))


def expire_in(connection: Connection, silence: Approval) -> bool:
    """`Approvals.expire` within the caller's transaction."""
    stored = _find(connection, silence.request_id)
    if stored is None or stored.answer is not None:
        return False
    _settle(connection, silence)
    append(
        connection,
        "answer.expired",
        incident_id=stored.request.incident_id,
        actor=silence.answered_by,
        document={"request_id": silence.request_id, "plan_digest": silence.plan_digest},
        at=silence.answered_at,
    )
    return True


def _find(connection: Connection, request_id: str) -> StoredApproval | None:
    query = select(approvals).where(approvals.c.request_id == request_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    said = select(votes.c.document).where(votes.c.request_id == request_id).order_by(votes.c.at)
    documents = connection.execute(said).scalars()
    quiet = connection.execute(select(snoozes.c.until).where(snoozes.c.request_id == request_id)).scalar()
    return _stored(row).model_copy(
        update={
            "votes": tuple(Approval.model_validate_json(text) for text in documents),
            "snoozed_until": datetime.fromisoformat(quiet) if quiet else None,
        }
    )


def _record(connection: Connection, approval: Approval, *, settles: bool) -> None:
    if approval.answer.approves and approval.identity is not None:
        connection.execute(
            insert(votes).values(
                request_id=approval.request_id,
                person=approval.identity.person,
                document=approval.model_dump_json(),
                at=approval.answered_at.isoformat(),
            )
        )
    if settles:
        _settle(connection, approval)


def _snooze(connection: Connection, attempt: Attempt, until: datetime) -> None:
    connection.execute(delete(snoozes).where(snoozes.c.request_id == attempt.request_id))
    told = {"request_id": attempt.request_id, "person": attempt.identity.person, "until": until.isoformat()}
    connection.execute(insert(snoozes).values(**told))


def _settle(connection: Connection, approval: Approval) -> None:
    connection.execute(
        update(approvals)
        .where(approvals.c.request_id == approval.request_id)
        .values(answer=approval.model_dump_json(), answered_at=approval.answered_at.isoformat())
    )


def _audit(connection: Connection, attempt: Attempt, incident_id: str, judgement: Judgement) -> None:
    told = attempt.model_dump(mode="json", exclude={"nonce"})
    document = told | {"message": judgement.message, "refusal": judgement.refusal, "settles": judgement.settles}
    kind = "answer.refused" if judgement.refusal else "answer.snoozed" if judgement.snoozed_until else "answer.recorded"
    append(connection, kind, incident_id=incident_id, actor=attempt.identity.person, document=document, at=attempt.at)


def _stored(row: RowMapping) -> StoredApproval:
    return StoredApproval(
        request=ApprovalRequest.model_validate_json(row["request"]),
        answer=Approval.model_validate_json(row["answer"]) if row["answer"] else None,
        resumed=row["resumed"],
        used=row["used_at"] is not None,
    )
