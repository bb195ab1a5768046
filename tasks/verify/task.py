"""The Prefect task of proof: never cached, because yesterday's proof proves nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.github import GithubClient
from tasks.clients.http_probe import wait_for_answer
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.clients.workspace import Mirrors, Workspace
from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.cluster_health import ObjectHealth, health_of
from tasks.domain.grouping import Member
from tasks.domain.incident import ClusterTarget, Incident, RunRef, SignalSource
from tasks.domain.outcome import Verification
from tasks.domain.pipeline import Conclusion, RunOutcome
from tasks.domain.plan import Remedy
from tasks.domain.story import Triage
from tasks.errors import PermanentError
from tasks.retrying import RETRYING
from tasks.settings import KubernetesSettings, Settings
from tasks.verify.checks import verify_by_rerun
from tasks.verify.cluster import POLL_SECONDS, comes_and_goes, read_health_state, verify_cluster
from tasks.verify.hosted import verify_attempt, verify_patch_here
from tasks.verify.members import failing_places, ref_of


@task(task_run_name="prove the fix", cache_policy=NO_CACHE)
def prove(triage: Triage, checkout: str, commit: str) -> Verification:
    """Run the failed jobs again in a checkout that holds the fix."""
    settings = Settings()
    on_github = triage.incident.signal.source is SignalSource.GITHUB
    prover = _prove_on_github if on_github else _prove_local
    verification = prover(settings, triage, Path(checkout), commit)
    Ledger.shared(settings.ledger_url).incidents.write(
        triage.incident.id, EntryKind.VERIFICATION, verification, at=datetime.now(UTC)
    )
    return verification


@task(task_run_name="read whether it is healthy again", cache_policy=NO_CACHE, **RETRYING)
def healthy_by_itself(triage: Triage) -> Verification | None:
    """The proof that nothing is left to heal: all that was unhealthy is healthy, and stays so for its window; `None`
    when it is not. What fails again and again looks healthy in between.
    """
    cluster, door = _cluster_of(triage), _door_of(triage)
    if not cluster.unhealthy and door is None:
        return None
    kubernetes = _kubernetes(triage)
    with Cluster.from_settings(kubernetes) as live:
        state = read_health_state(live, cluster.watched)
        well = all(health_of(state, ref).healthy for ref in cluster.watched) and (door is None or door().healthy)
        if comes_and_goes(cluster, state) or not well:
            return None
        seen = verify_cluster(
            lambda: read_health_state(live, cluster.watched),
            watched=cluster.watched,
            before=cluster.health,
            stable_seconds=kubernetes.stable_seconds,
            timeout_seconds=kubernetes.stable_seconds + 2 * POLL_SECONDS,
            door=door,
        )
    checks = (check.model_copy(update={"detail": f"{check.detail}, before anything was done"}) for check in seen.checks)
    return seen.model_copy(update={"checks": tuple(checks)}) if seen.passed else None


@task(task_run_name="prove the fix in the cluster", cache_policy=NO_CACHE)
def prove_in_cluster(triage: Triage) -> Verification:
    """Watch what had failed until it is healthy and stays so, and that nothing beside it got worse."""
    cluster, kubernetes, door = _cluster_of(triage), _kubernetes(triage), _door_of(triage)
    with Cluster.from_settings(kubernetes) as live:
        verification = verify_cluster(
            lambda: read_health_state(live, cluster.watched),
            watched=cluster.watched,
            before=cluster.health,
            stable_seconds=kubernetes.stable_seconds,
            timeout_seconds=kubernetes.heal_timeout_seconds,
            door=door,
        )
    if verification.passed and not cluster.shows and door is None and not _ran_again(triage):
        told = "the failure never showed in the state of what is watched, so its end does not show there either"
        verification = verification.model_copy(update={"passed": False, "inconclusive": told})
    Ledger.shared(Settings().ledger_url).incidents.write(
        triage.incident.id, EntryKind.VERIFICATION, verification, at=datetime.now(UTC)
    )
    return verification


@task(task_run_name="read whether its other failures still show", cache_policy=NO_CACHE, **RETRYING)
def failing_in_cluster(incident: Incident, others: list[Member], *, patient: bool) -> list[Member]:
    """Those of the other failures of an incident that show in a cluster still; `patient` gives them as long to recover
    as a healed workload has. What names nothing there is not known to fail.
    """
    settings = Settings()
    try:
        failing = _failing_places(settings.kubernetes, [one.signal.cluster for one in others], patient=patient)
    except PermanentError as error:
        told = f"whether its {len(others)} other failures are well again could not be read: {error}"
        Ledger.shared(settings.ledger_url).incidents.note(incident.id, told, at=datetime.now(UTC))
        return []
    return [one for one in others if one.signal.cluster in failing]


def _failing_places(
    kubernetes: KubernetesSettings, named: Sequence[ClusterTarget | None], *, patient: bool
) -> frozenset[ClusterTarget]:
    places = tuple(dict.fromkeys(place for place in named if place is not None))
    found: frozenset[ClusterTarget] = frozenset()
    for context in dict.fromkeys(place.context for place in places):
        here = [place for place in places if place.context == context]
        with Cluster.from_settings(kubernetes.in_context(context), read_only=True) as live:
            found |= failing_places(
                lambda live=live, here=here: read_health_state(live, map(ref_of, here)),  # type: ignore[misc]
                here,
                stable_seconds=kubernetes.stable_seconds,
                timeout_seconds=kubernetes.heal_timeout_seconds if patient else 0,
            )
    return found


def _door_of(triage: Triage) -> Callable[[], ObjectHealth] | None:
    """Asks again what a deploy's smoke test asked; `None` where that had not failed."""
    deploy = triage.incident.signal.deploy
    if deploy is None or not deploy.smoke_url:
        return None
    url = deploy.smoke_url

    def ask() -> ObjectHealth:
        wrong = wait_for_answer(url, timeout_seconds=0)
        return ObjectHealth(ref=ObjectRef(kind="smoke test", name=url), healthy=not wrong, detail=wrong or "it answers")

    return ask


def _ran_again(triage: Triage) -> bool:
    """Whether the action itself lets what failed begin anew, so that its end is proof, however it looked before."""
    return any(action.name == Remedy.RECREATE_JOB for action in triage.plan.actions)


def _cluster_of(triage: Triage) -> ClusterTriage:
    if triage.cluster is None:
        raise PermanentError("the failure is in no cluster")
    return triage.cluster


def _kubernetes(triage: Triage) -> KubernetesSettings:
    target = triage.incident.signal.cluster
    return Settings().kubernetes.in_context(target.context if target is not None else "")


def _pipeline(settings: Settings) -> LocalPipeline:
    store = RunStore(settings.runs_root)
    return LocalPipeline(store, default_step_timeout_seconds=settings.step_timeout_seconds)


def _reference(triage: Triage) -> RunRef:
    if triage.incident.signal.run is None:
        raise PermanentError("the signal names no run, so nothing can be proven")
    return triage.incident.signal.run


def _prove_local(settings: Settings, triage: Triage, checkout: Path, commit: str) -> Verification:
    run = RunStore(settings.runs_root).read(_reference(triage).run_id).outcome
    return verify_by_rerun(_pipeline(settings), checkout=checkout, run=run, failed_jobs=run.failed_jobs, commit=commit)


def _prove_on_github(settings: Settings, triage: Triage, checkout: Path, commit: str) -> Verification:
    """A re-run by GitHub's new attempt; a patch by the failed jobs' commands here, which hold no secret."""
    signal, run = triage.incident.signal, _reference(triage)
    outcome = _as_told(triage, run)
    if any(action.name == Remedy.RERUN_FAILED_JOBS for action in triage.plan.actions):
        with GithubClient.from_settings(settings.github) as client:
            return verify_attempt(
                client.runs,
                repository=signal.repository,
                run_id=run.run_id,
                attempt=run.attempt + 1,
                failed_jobs=outcome.failed_jobs,
                timeout_seconds=settings.github.rerun_timeout_seconds,
            )
    repository = Mirrors(settings.mirrors_root).known(signal.repository, signal.commit)
    if signal.from_fork or not settings.github.prove_here or repository is None:
        reason = "running jobs of GitHub on this machine is switched off (HEALFLOW_GITHUB__PROVE_HERE)"
        return Verification(passed=False, checks=(), seconds=0.0, inconclusive=reason)
    workspace, name = Workspace(settings.worktrees_root), f"{triage.incident.id}-unfixed"
    unfixed = workspace.prepare(repository, name=name, commit=signal.commit)
    try:
        return verify_patch_here(_pipeline(settings), run=outcome, fixed=checkout, unfixed=unfixed, commit=commit)
    finally:
        workspace.remove(repository, name)


def _as_told(triage: Triage, run: RunRef) -> RunOutcome:
    """The run as the evidence holds it."""
    signal = triage.incident.signal
    return RunOutcome(
        run_id=run.run_id,
        attempt=run.attempt,
        repository=signal.repository,
        workflow=run.workflow,
        workflow_path=run.workflow_path.partition("@")[0],
        branch=signal.branch,
        commit=signal.commit,
        conclusion=Conclusion.FAILURE,
        jobs=triage.evidence.jobs,
        started_at=signal.occurred_at,
        seconds=0.0,
    )
