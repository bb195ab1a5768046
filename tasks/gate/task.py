"""The Prefect tasks of the gate: decide with the plan's history, and look again the moment before acting."""

from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.freeze import freeze_at
from tasks.domain.gate import GateRequest, Limits
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.plan import Decision, Remedy
from tasks.domain.story import Triage
from tasks.errors import ConflictError
from tasks.gate.decide import current_policy_digest, decide
from tasks.retrying import RETRYING
from tasks.settings import Settings


def limits_of(settings: Settings, environment: str, now: datetime) -> Limits:
    """The floor's limits as the operator set them, and as they are at that moment."""
    freeze = freeze_at(settings.freezes, environment, now)
    return Limits(
        kill_switch=settings.kill_switch,
        frozen=freeze.told if freeze is not None else "",
        protected_branches=settings.protected_branches,
        max_attempts_per_fingerprint=settings.max_attempts_per_fingerprint,
        max_actions_per_hour=settings.max_actions_per_hour,
    )


@task(task_run_name="decide by policy", persist_result=True, **RETRYING)
def decide_plan(triage: Triage) -> Decision:
    """The gate's decision about one plan, recorded."""
    settings, now = Settings(), datetime.now(UTC)
    ledger = Ledger.shared(settings.ledger_url)
    limits = limits_of(settings, triage.incident.environment, now)
    decision = decide(_request(ledger, triage, now), limits, policy_dir=settings.policy_dir)
    ledger.incidents.write(triage.incident.id, EntryKind.DECISION, decision, at=now)
    return decision


@task(task_run_name="decide on the marks", cache_policy=NO_CACHE)
def decide_marks(triage: Triage) -> Decision:
    """The gate's decision about a plan of marks alone; the incident's own decision stays what it is."""
    settings, now = Settings(), datetime.now(UTC)
    request = _request(Ledger.shared(settings.ledger_url), triage, now)
    limits = limits_of(settings, triage.incident.environment, now)
    return decide(request, limits, policy_dir=settings.policy_dir)


def _request(ledger: Ledger, triage: Triage, now: datetime) -> GateRequest:
    incident, diagnosis, plan = triage.incident, triage.diagnosis, triage.plan
    failed = (IncidentStatus.ESCALATED, IncidentStatus.UNDONE)
    return GateRequest(
        incident=incident,
        diagnosis=diagnosis,
        plan=plan,
        track_records=tuple(
            ledger.memory.track_record(diagnosis.failure_class, action.name, incident.environment)
            for action in plan.actions
        ),
        reruns_so_far=ledger.memory.count_reruns(incident, diagnosis.failure_class, Remedy.RERUN_FAILED_JOBS),
        taken_before=ledger.memory.names_taken(diagnosis.fingerprint),
        failed_attempts_today=sum(
            other.status in failed and other.ended_at > now - timedelta(days=1) for other in triage.similar
        ),
        actions_last_hour=ledger.memory.count_actions_since(now - timedelta(hours=1)),
    )


@task(task_run_name="look at policy and target again", cache_policy=NO_CACHE)
def look_again(incident: Incident, decision: Decision) -> None:
    """The moment before acting: the policy is still the one that decided, and nothing has to stand still.

    Raises:
        ConflictError: it is not, so the decision and any approval of it are void.
    """
    settings = Settings()
    limits = limits_of(settings, incident.environment, datetime.now(UTC))
    if limits.kill_switch:
        raise ConflictError("the kill switch was turned on while the plan waited")
    if limits.frozen:
        raise ConflictError(f"a freeze began while the plan waited: {limits.frozen}")
    if current_policy_digest(limits, policy_dir=settings.policy_dir) != decision.policy_digest:
        raise ConflictError("the policy or its limits changed since the plan was decided on; it has to be decided anew")
