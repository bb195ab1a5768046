"""What an incident that ends leaves behind: members of it that still fail get an incident of their own."""

from datetime import UTC, datetime

from flows.explain import explain_github_run, explain_run
from flows.placing import place_left
from tasks.clients.ledger import Ledger
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Workspace
from tasks.collect.local_run import LocalRunReader
from tasks.domain.approval import Approval
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.grouping import Following, Member
from tasks.domain.incident import Incident, Signal, SignalSource, signal_key
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Decision
from tasks.domain.story import Explanation, Remediation, Triage
from tasks.errors import PermanentError
from tasks.remember.task import close
from tasks.settings import Settings
from tasks.verify.task import failing_in_cluster

MAX_LOOKS = 5
"""So often is looked again because further failures joined meanwhile; a storm does not keep an incident open."""
MAX_RUNS = 20
"""So many other failed runs are read; what is beyond gets its look with the incident that follows."""


def close_with_what_is_left(
    story: Triage, decision: Decision, approval: Approval | None, remediation: Remediation | None
) -> Outcome:
    """Write the end, and open the incident of what still fails with it. Failures that join while it is looked whether
    the others fail are looked at, too."""
    ledger = Ledger.shared(Settings().ledger_url)
    for _ in range(MAX_LOOKS):
        seen = ledger.members.count(story.incident.id)
        following = left_behind(story, remediation)
        written = close(story, decision, approval, remediation, following, seen)
        if written is not None:
            return Outcome.model_validate(written)
    return Outcome.model_validate(close(story, decision, approval, remediation, left_behind(story, remediation)))


def left_behind(story: Triage, remediation: Remediation | None) -> Following | None:
    """The incident of what still fails, to be opened with the end; `None` when nothing is known to.

    Only after a heal that helped, and where the first failure could not be looked at at all: whatever else ends an
    incident leaves all of it to a person.
    """
    signal, healed = story.incident.signal, remediation is not None and remediation.healed
    unseen = remediation is None and signal.cluster is None and signal.run is None
    settings = Settings()
    ledger = Ledger.shared(settings.ledger_url)
    others = _others(ledger, story.incident) if healed or unseen else []
    if not others:
        return None
    found = failing_in_cluster(story.incident, others, patient=healed)
    failing = [Member.model_validate(one) for one in found]
    if remediation is None or not remediation.merged:  # what was merged runs anew, and tells itself how that went
        runs = [one for one in others if one.signal.cluster is None and one.signal.run is not None]
        failing += [one for one in runs[:MAX_RUNS] if _fails_otherwise(settings, story.diagnosis, one.signal)]
    return place_left(ledger, story.incident.id, failing, settings=settings.intake, now=datetime.now(UTC))


def _others(ledger: Ledger, incident: Incident) -> list[Member]:
    members = ledger.members.of_incident(incident.id)
    return [one for one in members if one.resolved_at is None and signal_key(one.signal) != incident.key]


def _fails_otherwise(settings: Settings, healed: Diagnosis, signal: Signal) -> bool:
    """Whether a run has failed for another cause than the healed one, whose fix is its fix, too."""
    try:
        told = _explain(settings, signal)
    except PermanentError:  # its run is gone, so that no heal could read it either
        return False
    return told is not None and not told.passed and _cause(told.diagnosis) != _cause(healed)


def _explain(settings: Settings, signal: Signal) -> Explanation | None:
    run_id = signal.run.run_id if signal.run is not None else ""
    if signal.source is SignalSource.GITHUB and run_id.isdigit():
        return explain_github_run(settings, signal.repository, run_id)
    if signal.source is SignalSource.PIPELINE:
        reader = LocalRunReader(RunStore(settings.runs_root), Workspace(settings.worktrees_root), run_id)
        return explain_run(reader, run_id)
    return None


def _cause(diagnosis: Diagnosis) -> tuple[str, ...]:
    culprit = diagnosis.culprit
    return (diagnosis.failure_class, culprit.kind if culprit else "", culprit.name if culprit else "")
