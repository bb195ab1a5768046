"""The Prefect tasks of asking: the question is written before the run waits, the answer before anything is done."""

from contextlib import suppress
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.approve.request import make_request, settle_answer
from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.approval import Answer, Approval, ApprovalRequest
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Decision
from tasks.domain.story import Triage
from tasks.errors import ConflictError
from tasks.retrying import RETRYING
from tasks.settings import Settings


@task(task_run_name="ask a person", persist_result=True, **RETRYING)
def ask(triage: Triage, decision: Decision, flow_run_id: str) -> ApprovalRequest:
    """Write the question into the ledger and mark the incident as waiting."""
    settings = Settings()
    now = datetime.now(UTC)
    ledger = Ledger.shared(settings.ledger_url)
    request = ledger.approvals.ask(
        make_request(
            triage,
            decision,
            timeout_seconds=settings.approval_timeout_seconds,
            flow_run_id=flow_run_id,
            now=now,
        )
    )
    ledger.incidents.write(triage.incident.id, EntryKind.ASKED, request, at=now)
    ledger.incidents.set_status(triage.incident.id, IncidentStatus.WAITING)  # last: who sees it finds the question
    return request


@task(task_run_name="read the answer", cache_policy=NO_CACHE)
def read_answer(request: ApprovalRequest) -> Approval | None:
    """The answer that stands in the ledger already, as after a crash; `None` while nobody answered."""
    stored = Ledger.shared(Settings().ledger_url).approvals.get(request.id)
    return stored.answer if stored else None


@task(task_run_name="record the answer", persist_result=True, **RETRYING)
def settle(request: ApprovalRequest, answer: Answer, approver: str, reason: str) -> Approval:
    """The answer that counts: the one in the ledger, else the one typed into Prefect's form, which is then recorded."""
    ledger = Ledger.shared(Settings().ledger_url)
    typed = settle_answer(request, answer=answer, answered_by=approver, reason=reason, now=datetime.now(UTC))
    with suppress(ConflictError):  # another door was quicker: its answer is the one that counts
        ledger.approvals.answer(typed)
    stored = ledger.approvals.get(request.id)
    if stored is None or stored.answer is None:
        raise ConflictError(f"the question {request.id} has no answer; nothing is done")
    ledger.approvals.mark_resumed(request.id)
    ledger.incidents.write(request.incident_id, EntryKind.ANSWER, stored.answer, at=stored.answer.answered_at)
    return stored.answer
