"""Makes the approval request of a plan, and turns what came back into the one answer that counts."""

from datetime import datetime, timedelta

from tasks.domain.approval import Answer, Approval, ApprovalChannel, ApprovalRequest
from tasks.domain.plan import Decision
from tasks.domain.story import Triage


def make_request(
    triage: Triage, decision: Decision, *, timeout_seconds: int, flow_run_id: str, now: datetime
) -> ApprovalRequest:
    """The question for one plan of one incident: asked again after a crash, it is the same question."""
    digest = triage.plan.digest(decision.policy_digest)
    steps = "; ".join(action.summary for action in triage.plan.actions)
    return ApprovalRequest(
        id=f"{triage.incident.id}-{digest[:12]}",
        incident_id=triage.incident.id,
        plan_digest=digest,
        question=f"{triage.diagnosis.cause} {steps}?",
        asked_at=now,
        deadline=now + timedelta(seconds=timeout_seconds),
        flow_run_id=flow_run_id,
    )


def settle_answer(
    request: ApprovalRequest, *, answer: Answer, answered_by: str, reason: str, now: datetime
) -> Approval:
    """The answer that came through Prefect's form, whose name is only typed; after the deadline it is `EXPIRED`."""
    late = now > request.deadline
    return Approval(
        request_id=request.id,
        plan_digest=request.plan_digest,
        answer=Answer.EXPIRED if late else answer,
        answered_by="nobody" if late else (answered_by.strip() or "someone in the Prefect UI"),
        verified=False,
        channel=ApprovalChannel.DEADLINE if late else ApprovalChannel.PREFECT_UI,
        reason=f"the answer {answer} came after the deadline" if late else reason.strip(),
        answered_at=now,
    )
