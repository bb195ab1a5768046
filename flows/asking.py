"""Asks a person inside the heal flow: the run is suspended, leaves no process behind, and survives restarts."""

from datetime import UTC, datetime
from itertools import count
from typing import Literal

from prefect import get_client, suspend_flow_run
from prefect.context import FlowRunContext
from prefect.input import RunInput
from pydantic import Field

from tasks.approve import make_card, question_markdown
from tasks.approve.task import ask, judge_form, read_answer, read_declined, replan, take_answer
from tasks.clients.ledger import StoredApproval
from tasks.domain.approval import Answer, Approval, ApprovalRequest, Judgement
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Decision, Plan
from tasks.domain.story import Story, Triage
from tasks.settings import Settings

GRACE_SECONDS = 3600
"""The ledger's deadline comes first and is enforced by the dispatcher; Prefect's own comes this much later."""
_FORCED = ("AwaitingRetry", "Scheduled")
"""What the Prefect UI puts a run into that is to begin anew, by *Retry* and by *Change state*; a run that is resumed is
`Resuming` instead."""


class AnswerForm(RunInput):
    """What the Prefect UI asks for on Resume; the answer has no default, so a bare resume approves nothing."""

    answer: Literal["approve", "approve_and_merge", "reject"] = Field(
        description="approve_and_merge also merges a fix that is proven, where Healflow merges itself"
    )
    reason: str = Field(default="", title="Reason, for a no")
    approver: str = Field(default="", title="Your name, which is recorded as not verified")


def ask_and_wait(story: Triage, decision: Decision) -> Approval:
    """Put the plan to people; returns once it is answered, also in another process days later.

    What was declined in a run that was lost afterwards is not asked again.
    A form that is refused, or is one yes of several, leaves the question open: the run is suspended again. The pause
    key counts how often the run was begun anew, so that a retry forced in the Prefect UI neither reuses an old form nor
    takes a question that nobody answered for one whose form was sent.

    Raises:
        ConflictError: the form was sent too often without an answer that counts.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("ask_and_wait is called inside a flow run")
    run_id = context.flow_run.id
    declined = read_declined(story.incident.id)
    if declined is not None:
        return Approval.model_validate(take_answer(ApprovalRequest.model_validate(declined)))
    request = ApprovalRequest.model_validate(ask(story, decision, flow_run_id=str(run_id)))
    if read_answer(request) is not None:
        return Approval.model_validate(take_answer(request))
    with get_client(sync_client=True) as client:
        states = sorted(client.read_flow_run_states(run_id), key=lambda state: state.timestamp)
    begun_anew = sum(state.is_final() or state.name in _FORCED for state in states[1:])
    said = ""
    for number in count(1):
        form = suspend_flow_run(
            wait_for_input=AnswerForm.with_initial_data(description=said + _question(story, decision, request)),
            timeout=_seconds_left(request),
            key=f"approve-{begun_anew + 1}-{number}-{request.id}",
        )
        told = judge_form(request, Answer(form.answer), form.approver, form.reason, number)
        judgement = Judgement.model_validate(told) if told is not None else None
        if judgement is None or judgement.settles:
            return Approval.model_validate(take_answer(request))
        said = f"**The last answer: {judgement.message}.**\n\n"
    raise AssertionError("counting does not end")


def _question(triage: Triage, decision: Decision, request: ApprovalRequest) -> str:
    told = Story(
        incident=triage.incident.model_copy(update={"status": IncidentStatus.WAITING}),
        evidence=triage.evidence,
        diagnosis=triage.diagnosis,
        plan=triage.plan,
        decision=decision,
        request=request,
    )
    web_url = Settings().github.web_url
    return question_markdown(make_card(told, StoredApproval(request=request), now=datetime.now(UTC), web_url=web_url))


def _seconds_left(request: ApprovalRequest) -> int:
    left = (request.deadline - datetime.now(UTC)).total_seconds()
    return max(0, int(left)) + GRACE_SECONDS


def edited(story: Triage, approval: Approval) -> Triage:
    """The story with the plan that the approver asked for instead; it passes the gate and is asked about like any."""
    return story.model_copy(update={"plan": Plan.model_validate(replan(story, approval))})
