"""The Prefect task of planning: works in a scratch worktree of the failing commit, which it removes."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.github import GithubClient
from tasks.clients.kubernetes import Cluster
from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Mirrors, Workspace
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident, IncidentStatus, RunRef, Signal, SignalSource
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Plan, Remedy
from tasks.errors import PermanentError
from tasks.plan.cluster import draft_cluster_plan
from tasks.plan.cluster.in_git import with_manifests
from tasks.plan.cluster.measure import live
from tasks.plan.draft import draft_plan, draft_report
from tasks.plan.gitops import IntoGit
from tasks.retrying import RETRYING
from tasks.settings import Settings

_ONLY_TOLD = frozenset({SignalSource.PREFECT, SignalSource.ALERTMANAGER, SignalSource.EVENTS})
"""Senders that tell of a failure whose code or job cannot be reached from here: the cause is reported."""


@task(task_run_name="draft the plan", persist_result=True, **RETRYING)
def draft(incident: Incident, evidence: Evidence, diagnosis: Diagnosis, similar: list[SimilarIncident]) -> Plan:
    """The plan for one incident, with the real patch as its preview."""
    settings = Settings()
    ledger = Ledger.shared(settings.ledger_url)
    signal = incident.signal
    if signal.source in _ONLY_TOLD:
        return _keep(ledger, draft_report(incident, evidence, diagnosis))
    if signal.run is None:
        raise PermanentError("the signal names no run, so there is nothing to plan on")
    repository = _repository(settings, signal, signal.run)
    workspace = Workspace(settings.worktrees_root)
    scratch = f"{incident.id}-plan"
    checkout = workspace.prepare(repository, name=scratch, commit=signal.commit)
    try:
        plan = draft_plan(
            incident,
            evidence,
            diagnosis,
            checkout=checkout,
            similar=tuple(similar),
            reruns_so_far=ledger.memory.count_reruns(incident, diagnosis.failure_class, Remedy.RERUN_FAILED_JOBS),
        )
    finally:
        workspace.remove(repository, scratch)
    return _keep(ledger, plan)


@task(task_run_name="draft the plan for the cluster", cache_policy=NO_CACHE, **RETRYING)
def draft_for_cluster(
    incident: Incident,
    evidence: Evidence,
    diagnosis: Diagnosis,
    cause: ClusterCause | None,
    snapshot: ClusterSnapshot,
    similar: list[SimilarIncident],
) -> Plan:
    """The plan for a failure in a cluster, with the real change as its preview."""
    settings = Settings()
    ledger = Ledger.shared(settings.ledger_url)
    if cause is None:
        return _keep(ledger, draft_report(incident, evidence, diagnosis))
    known = snapshot.model_copy(update={"verified_revisions": _verified(settings, ledger, incident)})
    known = with_manifests(
        settings, known, tell=lambda why: ledger.incidents.note(incident.id, why, at=datetime.now(UTC))
    )
    place = incident.signal.cluster
    context = place.context if place is not None else ""
    plan = draft_cluster_plan(
        incident,
        cause,
        known,
        similar=tuple(similar),
        bounds=settings.kubernetes.bounds,
        in_git=IntoGit(settings, incident, tuple(similar), context),
        measure=live(settings.kubernetes, context, known),
    )
    return _keep(ledger, plan)


def _verified(settings: Settings, ledger: Ledger, incident: Incident) -> frozenset[str]:
    """The revisions of the namespace that deploys verified on this cluster."""
    place = incident.signal.cluster
    if place is None:
        return frozenset()
    with Cluster.from_settings(settings.kubernetes.in_context(place.context)) as cluster:
        found = ledger.revisions.verified_in(cluster.name, place.namespace)
    return frozenset(one.replica_set_uid for one in found)


def _keep(ledger: Ledger, plan: Plan) -> Plan:
    ledger.incidents.write(plan.incident_id, EntryKind.PLAN, plan, at=datetime.now(UTC))
    ledger.incidents.set_status(plan.incident_id, IncidentStatus.TRIAGED)
    return plan


def _repository(settings: Settings, signal: Signal, run: RunRef) -> Path:
    """Where the commit can be had: in the user's repository here, or in a copy of GitHub's."""
    if signal.source is not SignalSource.GITHUB:
        return Path(RunStore(settings.runs_root).read(run.run_id).repository_path)
    with GithubClient.from_settings(settings.github) as github:
        remote = github.git_remote(signal.repository)
    mirrors = Mirrors(settings.mirrors_root)
    return mirrors.fetch(remote, signal.repository, branch=signal.branch, commit=signal.commit)
