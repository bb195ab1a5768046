"""Approval requests and their one answer."""

from datetime import datetime

from sqlalchemy import Engine, RowMapping, insert, select, update

from tasks.clients.ledger.engine import transaction
from tasks.clients.ledger.tables import approvals
from tasks.domain.approval import Approval, ApprovalRequest
from tasks.domain.base import Noun
from tasks.errors import ConflictError, NotFoundError


class StoredApproval(Noun):
    """A question, its answer once there is one, and whether the waiting run has been told."""

    request: ApprovalRequest
    answer: Approval | None = None
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

    def answer(self, approval: Approval) -> None:
        """Record the answer.

        Raises:
            NotFoundError: there is no such question.
            ConflictError: it is answered already, is past its deadline, or is about another plan.
        """
        with transaction(self._engine) as connection:
            query = select(approvals).where(approvals.c.request_id == approval.request_id)
            row = connection.execute(query).mappings().first()
            if row is None:
                raise NotFoundError(f"there is no approval request {approval.request_id!r}")
            stored = _stored(row)
            if stored.answer is not None:
                raise ConflictError(
                    f"{stored.request.incident_id} was already answered: {stored.answer.answer} by "
                    f"{stored.answer.answered_by} at {stored.answer.answered_at:%Y-%m-%d %H:%M:%S} UTC"
                )
            if approval.plan_digest != stored.request.plan_digest:
                raise ConflictError("the plan has changed since it was shown; look at it again before you answer")
            if approval.answer.approves and approval.answered_at > stored.request.deadline:
                raise ConflictError(
                    f"the question expired at {stored.request.deadline:%Y-%m-%d %H:%M:%S} UTC; silence was taken as no"
                )
            connection.execute(
                update(approvals)
                .where(approvals.c.request_id == approval.request_id)
                .values(answer=approval.model_dump_json(), answered_at=approval.answered_at.isoformat())
            )

    def use(self, request_id: str, *, at: datetime) -> bool:
        """Use an approval up; false when it was used before."""
        with transaction(self._engine) as connection:
            result = connection.execute(
                update(approvals)
                .where(approvals.c.request_id == request_id, approvals.c.used_at.is_(None))
                .values(used_at=at.isoformat())
            )
            return result.rowcount == 1

    def get(self, request_id: str) -> StoredApproval | None:
        """The question with that id, `None` when it was never asked."""
        with transaction(self._engine) as connection:
            query = select(approvals).where(approvals.c.request_id == request_id)
            row = connection.execute(query).mappings().first()
        return _stored(row) if row is not None else None

    def of_incident(self, incident_id: str) -> tuple[StoredApproval, ...]:
        """All questions about one incident, oldest deadline first."""
        query = select(approvals).where(approvals.c.incident_id == incident_id).order_by(approvals.c.deadline)
        with transaction(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def unanswered(self) -> tuple[StoredApproval, ...]:
        """The questions that still wait."""
        query = select(approvals).where(approvals.c.answer.is_(None)).order_by(approvals.c.deadline)
        with transaction(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def to_resume(self) -> tuple[StoredApproval, ...]:
        """The answered questions whose flow run has not been told yet."""
        query = select(approvals).where(approvals.c.answer.is_not(None), approvals.c.resumed.is_(False))
        with transaction(self._engine) as connection:
            return tuple(_stored(row) for row in connection.execute(query).mappings())

    def mark_resumed(self, request_id: str) -> None:
        """Note that the flow run knows the answer."""
        with transaction(self._engine) as connection:
            connection.execute(update(approvals).where(approvals.c.request_id == request_id).values(resumed=True))


def _stored(row: RowMapping) -> StoredApproval:
    return StoredApproval(
        request=ApprovalRequest.model_validate_json(row["request"]),
        answer=Approval.model_validate_json(row["answer"]) if row["answer"] else None,
        resumed=row["resumed"],
        used=row["used_at"] is not None,
    )
