"""The Prefect tasks of memory: load an incident, recall its like, write its end, publish its page."""

from datetime import UTC, datetime

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from tasks.clients.ledger import Ledger
from tasks.domain.approval import Approval
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.grouping import Following
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome, SimilarIncident
from tasks.domain.plan import Decision
from tasks.domain.story import Remediation, Settled, Triage
from tasks.errors import OvertakenError
from tasks.remember.ending import end_incident
from tasks.remember.record import draw_outcome, unhealed_outcome
from tasks.remember.report import story_markdown
from tasks.remember.story import read_story
from tasks.retrying import RETRYING
from tasks.settings import Settings


def _ledger() -> Ledger:
    return Ledger.shared(Settings().ledger_url)


@task(task_run_name="load the incident", persist_result=True, **RETRYING)
def load_incident(incident_id: str) -> Incident:
    """The incident as the dispatcher opened it."""
    return _ledger().incidents.get(incident_id).incident


@task(task_run_name="recall similar incidents", persist_result=True, **RETRYING)
def recall(incident: Incident, diagnosis: Diagnosis) -> list[SimilarIncident]:
    """Ended incidents with the same fingerprint, newest first."""
    similar = _ledger().memory.similar(diagnosis.fingerprint)
    return [other for other in similar if other.incident_id != incident.id]


@task(task_run_name="write the end", persist_result=True, **RETRYING)
def close(
    triage: Triage,
    decision: Decision,
    approval: Approval | None,
    remediation: Remediation | None,
    following: Following | None = None,
    members_seen: int | None = None,
) -> Outcome | None:
    """Write the end of a triaged incident, and open that of what it leaves; `None`, and nothing is written, when the
    incident has more failures by now than `members_seen`."""
    now = datetime.now(UTC)
    outcome = draw_outcome(triage, decision, approval, remediation, following, now=now)
    try:
        return _write_end(triage.incident, outcome, triage=triage, following=following, members_seen=members_seen)
    except OvertakenError:
        return None


@task(task_run_name="write the end", persist_result=True, **RETRYING)
def close_unhealed(incident_id: str, reason: str) -> Outcome:
    """Write the end of an incident whose heal could not go on."""
    story = read_story(_ledger(), incident_id)
    fingerprint = story.diagnosis.fingerprint if story.diagnosis else story.incident.key
    outcome = unhealed_outcome(story.incident, reason, fingerprint=fingerprint, now=datetime.now(UTC))
    return _write_end(story.incident, outcome, triage=None)


@task(task_run_name="read whether it ended", cache_policy=NO_CACHE)
def read_end(incident_id: str) -> Outcome | None:
    """How the incident ended, `None` while it has not."""
    return _ledger().memory.outcome_of(incident_id)


@task(task_run_name="wait for what is away", cache_policy=NO_CACHE, **RETRYING)
def postpone(incident_id: str, reason: str) -> None:
    """Let the next run of this heal wait, and tell the operator what for."""
    ledger, now = _ledger(), datetime.now(UTC)
    delay = ledger.heals.postpone(incident_id, reason, now=now)
    ledger.incidents.note(incident_id, f"waits, and tries again at {delay.until:%H:%M:%S} UTC: {reason}", at=now)


@task(task_run_name="read how far it had come", cache_policy=NO_CACHE, **RETRYING)
def read_settled(incident_id: str) -> Settled | None:
    """What an earlier run of this heal asked about or began to do, `None` when none came so far."""
    kept = _ledger().heals.kept(incident_id)
    return Settled.model_validate_json(kept) if kept else None


def _write_end(
    incident: Incident,
    outcome: Outcome,
    *,
    triage: Triage | None,
    following: Following | None = None,
    members_seen: int | None = None,
) -> Outcome:
    ledger = _ledger()
    known = ledger.memory.outcome_of(incident.id)
    if known is not None and known.status in (outcome.status, IncidentStatus.RESOLVED):
        return known
    plan = triage.plan if triage else None
    return end_incident(ledger, incident, outcome, plan=plan, following=following, members_seen=members_seen)


@task(  # Prefect's own errors are no TransientError: whatever happens is tried again
    task_run_name="publish the page",
    cache_policy=NO_CACHE,
    retries=RETRYING["retries"],
    retry_delay_seconds=RETRYING["retry_delay_seconds"],
)
def publish(incident_id: str) -> None:
    """Write the incident's page as a Markdown artifact; the newest version is the one the UI shows first."""
    story = read_story(_ledger(), incident_id)
    create_markdown_artifact(
        key=incident_id,
        markdown=story_markdown(story),
        description=story.diagnosis.cause if story.diagnosis else story.incident.signal.title,
    )
