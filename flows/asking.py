"""Asks a person inside the heal flow: the run is suspended, leaves no process behind, and survives restarts."""

from typing import Literal

from prefect import get_client, suspend_flow_run
from prefect.context import FlowRunContext
from prefect.input import RunInput

from tasks.approve import question_markdown
from tasks.approve.task import ask, read_answer, settle
from tasks.domain.approval import Answer, Approval, ApprovalRequest
from tasks.domain.plan import Decision
from tasks.domain.story import Triage

GRACE_SECONDS = 3600
"""The ledger's deadline comes first and is enforced by the dispatcher; Prefect's own comes this much later."""


class AnswerForm(RunInput):
    """What the Prefect UI asks for on Resume; the answer has no default, so a bare resume approves nothing."""

    answer: Literal["approve", "approve_and_merge", "reject"]
    reason: str = ""
    approver: str = ""


def ask_and_wait(story: Triage, decision: Decision) -> Approval:
    """Put the plan to a person; returns once it is answered, also in another process days later.

    The pause key counts the ended tries of the run: a retry forced in the Prefect UI cannot reuse an old form.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("ask_and_wait is called inside a flow run")
    run_id = context.flow_run.id
    request = ApprovalRequest.model_validate(ask(story, decision, flow_run_id=str(run_id)))
    known = read_answer(request)
    if known is not None:
        answered = Approval.model_validate(known)
        return Approval.model_validate(settle(request, answered.answer, answered.answered_by, answered.reason))
    with get_client(sync_client=True) as client:
        ended_tries = sum(state.is_final() for state in client.read_flow_run_states(run_id))
    form = suspend_flow_run(
        wait_for_input=AnswerForm.with_initial_data(description=question_markdown(story, decision)),
        timeout=int((request.deadline - request.asked_at).total_seconds()) + GRACE_SECONDS,
        key=f"approve-{ended_tries + 1}-{request.id}",
    )
    return Approval.model_validate(settle(request, Answer(form.answer), form.approver, form.reason))
