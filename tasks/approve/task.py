"""The Prefect tasks of asking: the question is written before the run waits, the answer before anything is done."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.approve.answering import answer_question, attempt_at, expire, put_question
from tasks.approve.editing import edit_plan
from tasks.approve.judging import identify
from tasks.approve.request import make_request
from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.approval import Answer, Approval, ApprovalChannel, ApprovalRequest, IdentityKind, Judgement
from tasks.domain.plan import Decision, Plan
from tasks.domain.story import Settled, Triage
from tasks.errors import ConflictError
from tasks.retrying import RETRYING
from tasks.settings import Settings

MAX_ROUNDS = 20
"""How often a run is suspended for one question: each form that does not settle it is a round."""
UNNAMED = "someone in the Prefect UI"


@task(task_run_name="ask a person", persist_result=True, **RETRYING)
def ask(triage: Triage, decision: Decision, flow_run_id: str) -> ApprovalRequest:
    """Write the question into the ledger and mark the incident as waiting."""
    settings, now = Settings(), datetime.now(UTC)
    timeout_seconds = settings.approval_timeout_seconds
    wanted = make_request(triage, decision, timeout_seconds=timeout_seconds, flow_run_id=flow_run_id, now=now)
    ledger = Ledger.shared(settings.ledger_url)
    kept = Settled(triage=triage, decision=decision).model_dump_json()
    return put_question(ledger, wanted, kept=kept)


@task(task_run_name="read the answer", cache_policy=NO_CACHE)
def read_answer(request: ApprovalRequest) -> Approval | None:
    """The answer that stands in the ledger already, as after a crash; `None` while nobody answered."""
    stored = Ledger.shared(Settings().ledger_url).approvals.get(request.id)
    return stored.answer if stored else None


@task(task_run_name="read whether it was declined", cache_policy=NO_CACHE)
def read_declined(incident_id: str) -> ApprovalRequest | None:
    """The newest question of the incident when it was answered with no, by a person or by silence.

    A run that was lost is started again and plans anew: what was declined is not asked about a second time.
    """
    questions = Ledger.shared(Settings().ledger_url).approvals.of_incident(incident_id)
    newest = questions[-1] if questions else None
    if newest is None or newest.answer is None or newest.answer.answer.approves or newest.answer.answer is Answer.EDIT:
        return None
    return newest.request


@task(task_run_name="judge the form, round {round_number}", persist_result=True, **RETRYING)
def judge_form(
    request: ApprovalRequest, answer: Answer, approver: str, reason: str, round_number: int
) -> Judgement | None:
    """Judge what was typed into Prefect's form; `None` when the ledger has an answer, through whichever door it came.

    Raises:
        ConflictError: the form was sent too often without an answer that counts.
    """
    if round_number > MAX_ROUNDS:
        raise ConflictError(f"the form was sent {MAX_ROUNDS} times without an answer that counts; nothing is done")
    settings, now = Settings(), datetime.now(UTC)
    ledger = Ledger.shared(settings.ledger_url)
    stored = ledger.approvals.get(request.id)
    if stored is not None and stored.answer is not None:
        return None
    if expire(ledger, request, now=now):
        return None
    people = settings.approvals.people
    typed = identify(IdentityKind.TYPED, approver.strip()[:100] or UNNAMED, people)
    attempt = attempt_at(
        request, answer=answer, identity=typed, channel=ApprovalChannel.PREFECT_UI, reason=reason, now=now
    )
    return answer_question(ledger, attempt, people=people)


@task(task_run_name="take the answer", persist_result=True, **RETRYING)
def take_answer(request: ApprovalRequest) -> Approval:
    """The answer that counts, out of the ledger, now told in the incident's story.

    Raises:
        ConflictError: there is none, so nothing is done.
    """
    ledger = Ledger.shared(Settings().ledger_url)
    stored = ledger.approvals.get(request.id)
    if stored is None or stored.answer is None:
        raise ConflictError(f"the question {request.id} has no answer; nothing is done")
    ledger.approvals.mark_resumed(request.id)
    ledger.incidents.write(request.incident_id, EntryKind.ANSWER, stored.answer, at=stored.answer.answered_at)
    return stored.answer


@task(task_run_name="plan with the approver's values", persist_result=True, **RETRYING)
def replan(triage: Triage, approval: Approval) -> Plan:
    """The plan as the approver changed it; nothing of it is allowed yet."""
    ledger = Ledger.shared(Settings().ledger_url)
    plan = edit_plan(triage.plan, approval)
    ledger.incidents.write(triage.incident.id, EntryKind.PLAN, plan, at=datetime.now(UTC))
    return plan
