"""Undo: takes the fix of a healed incident back, checks that it is gone, and remembers that it did not hold."""

from datetime import UTC, datetime

from tasks.act.opening import opened_context, opened_for_cluster
from tasks.act.taking_back import TakenBack, take_back_results
from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.incident import Incident, IncidentStatus, SignalKind
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import MARKS, Plan
from tasks.errors import ConflictError
from tasks.remember import read_story
from tasks.remember.ending import end_incident
from tasks.settings import Settings


def undo_heal(settings: Settings, incident_id: str, *, by: str) -> str:
    """Take every effect of a heal back, the merge included; returns the incident's id.

    Raises:
        ConflictError: the incident is not healed, or something moved since, so that undoing would lose other work;
            what could be undone is undone and recorded.
    """
    ledger = Ledger.open(settings.ledger_url)
    story = read_story(ledger, incident_id)
    incident, plan = story.incident, story.plan
    if incident.status not in (IncidentStatus.HEALED, IncidentStatus.OFFERED) or plan is None or story.outcome is None:
        raise ConflictError(
            f"{incident.id} is {incident.status}: only a healed incident, or an offered one, has a fix to take back"
        )
    if incident.signal.kind is SignalKind.RELEASE:
        raise ConflictError(f"{incident.id} is a release and no fix: {plan.actions[0].undo}")
    done = [result for result in story.results if result.action_name not in MARKS]
    applied = [result for result in done if result.status is not ActionStatus.UNDONE]
    ledger.incidents.note(incident.id, f"{by} takes the fix back", at=datetime.now(UTC))
    taken = _take_back(settings, incident, plan, applied)
    now = datetime.now(UTC)
    for result in taken.results:
        ledger.incidents.write(incident.id, EntryKind.UNDO, result, at=now)
    if not taken.complete:
        ledger.incidents.note(incident.id, f"could not undo everything: {taken.problem}", at=now)
        raise ConflictError(f"{incident.id} could not be taken back whole: {taken.problem}")
    outcome = story.outcome.model_copy(
        update={
            "status": IncidentStatus.UNDONE,
            "summary": f"{incident.status.capitalize()}, then taken back by {by}.",
            "branch": None,
            "merged": False,
            "ended_at": now,
        }
    )
    end_incident(ledger, incident, outcome, plan=plan)
    return incident.id


def _take_back(settings: Settings, incident: Incident, plan: Plan, applied: list[ActionResult]) -> TakenBack:
    if incident.signal.cluster is not None:
        with opened_for_cluster(settings, incident, plan) as place:
            return take_back_results(place, plan.actions, applied)
    with opened_context(settings, incident, plan, fresh=True) as repository:
        return take_back_results(repository, plan.actions, applied)
