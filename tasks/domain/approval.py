"""Approval: the question put to a person, and the one answer that counts."""

from enum import StrEnum

from tasks.domain.base import Noun, UtcTime


class Answer(StrEnum):
    """What a person, or the deadline, said."""

    APPROVE = "approve"
    APPROVE_AND_MERGE = "approve_and_merge"
    REJECT = "reject"
    EXPIRED = "expired"

    @property
    def approves(self) -> bool:
        """Whether the plan may be carried out."""
        return self in (Answer.APPROVE, Answer.APPROVE_AND_MERGE)


class ApprovalChannel(StrEnum):
    """The door through which an answer came."""

    COMMAND_LINE = "command_line"
    PREFECT_UI = "prefect_ui"
    DEADLINE = "deadline"


class ApprovalRequest(Noun):
    """A question that waits: one plan, by digest, until a deadline, answered once."""

    id: str
    incident_id: str
    plan_digest: str
    question: str
    asked_at: UtcTime
    deadline: UtcTime
    flow_run_id: str | None = None


class Approval(Noun):
    """The answer. `verified` tells whether `answered_by` was established or only typed."""

    request_id: str
    plan_digest: str
    answer: Answer
    answered_by: str
    verified: bool
    channel: ApprovalChannel
    reason: str = ""
    answered_at: UtcTime
