"""Release: the story of one deploy, with plain steps for the command line, or Prefect's tasks for the flow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.deploy_incidents import class_of, open_failed_rollouts, open_failed_smoke, open_refused
from tasks.clients.ledger import Ledger
from tasks.domain.base import Noun
from tasks.domain.cluster import KubeObject, ObjectRef
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Verdict
from tasks.domain.rollout import (
    DeployReport,
    DeployStatus,
    Difference,
    Manifests,
    ObjectDecision,
    ObjectRefusal,
    Preview,
    ReleaseOrder,
    Rollout,
    RolloutState,
    Smoke,
    VerifiedRevision,
)
from tasks.gate.objects import decide_objects
from tasks.rollout import steps
from tasks.settings import Settings

Tell = Callable[[str], None]


class Question(Noun):
    """What a person is asked before anything is applied."""

    asked: tuple[ObjectDecision, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Steps:
    """The steps of a deploy that touch the outside."""

    render: Callable[[ReleaseOrder], Manifests]
    preview: Callable[[Manifests], Preview]
    apply: Callable[[Manifests], ObjectRefusal | None]
    watch: Callable[[Manifests, float], tuple[Rollout, ...]]
    smoke: Callable[[ReleaseOrder, Manifests], Smoke]
    suspects: Callable[[Manifests, tuple[Rollout, ...], ObjectRef | None], tuple[Rollout, ...]]
    record: Callable[[tuple[Rollout, ...], str, datetime], tuple[VerifiedRevision, ...]]


def plain_steps(settings: Settings, tell: Tell) -> Steps:
    """The steps without Prefect."""
    cluster = settings.kubernetes
    return Steps(
        render=lambda order: steps.render_release(cluster, order),
        preview=lambda manifests: steps.preview_release(cluster, manifests),
        apply=lambda manifests: steps.apply_release(cluster, manifests, tell=tell),
        watch=lambda manifests, seconds: steps.watch_release(cluster, manifests, timeout_seconds=seconds, tell=tell),
        smoke=lambda order, manifests: steps.smoke_test(cluster, order, manifests),
        suspects=lambda manifests, rollouts, door: steps.suspects_of(settings, manifests, rollouts, door),
        record=lambda rollouts, commit, at: steps.record_release(settings, rollouts, commit=commit, deployed_at=at),
    )


def bring_out(
    settings: Settings, order: ReleaseOrder, taken: Steps, *, approve: Callable[[Question], bool], run_id: str = ""
) -> DeployReport:
    """Bring a release out, and say how that ended; what fails opens an incident for the heal flow.

    `approve` is asked only where policy wants a person, and only after the dry run. `run_id` is Prefect's, where it is
    a run of Prefect: the failure of that run is then this incident and no other.

    Raises:
        HealflowError: the release cannot be rendered, or the cluster or the ledger cannot be reached.
    """
    report = _bring_out(settings, order, taken, approve)
    if run_id and report.incident_ids:
        Ledger.shared(settings.ledger_url).events.mark_run(run_id, report.incident_ids[0], at=datetime.now(UTC))
    return report


def _bring_out(
    settings: Settings, order: ReleaseOrder, taken: Steps, approve: Callable[[Question], bool]
) -> DeployReport:
    manifests = taken.render(order)
    decisions = decide_release(settings, manifests)
    denied = [one for one in decisions if one.verdict is Verdict.DENY]
    report = DeployReport(
        status=DeployStatus.DENIED, message=_reasons(denied), commit=order.commit, decisions=decisions
    )
    if denied:
        return report
    preview = taken.preview(manifests)
    differences = preview.differences
    report = report.model_copy(update={"differences": differences})
    if preview.refused:
        return _refused(settings, order, report, preview.refused)
    asked = tuple(one for one in decisions if one.verdict is Verdict.ASK)
    if order.dry_run:
        changed = sum(bool(one.text) for one in differences)
        told = f"{changed} of {len(differences)} objects would change; nothing was applied"
        return _ended(report, DeployStatus.DRY_RUN, told)
    if asked and not approve(Question(asked=asked, differences=differences)):
        return _ended(report, DeployStatus.NOT_APPROVED, f"a person has to say yes: {_reasons(asked)}")
    return _apply(settings, order, taken, manifests, report)


def _apply(
    settings: Settings, order: ReleaseOrder, taken: Steps, manifests: Manifests, report: DeployReport
) -> DeployReport:
    started = datetime.now(UTC)
    refused = taken.apply(manifests)
    if refused is not None:
        return _refused(settings, order, report, (refused,))
    rollouts = taken.watch(manifests, order.rollout_timeout_seconds)
    report = report.model_copy(update={"rollouts": rollouts})
    failed = [one for one in rollouts if one.state is RolloutState.FAILED]
    if failed:
        opened = open_failed_rollouts(settings, failed, commit=order.commit, now=datetime.now(UTC))
        report = report.model_copy(update={"incident_ids": tuple(incident.id for incident in opened)})
        told = "; ".join(f"{one.ref} {one.message}" for one in failed)
        return _ended(report, DeployStatus.ROLLOUT_FAILED, told, FailureClass.DEP_ROLLOUT_TIMEOUT)
    smoke = taken.smoke(order, manifests)
    if smoke.wrong:
        suspects = taken.suspects(manifests, rollouts, smoke.door)
        opened = open_failed_smoke(settings, smoke, suspects, commit=order.commit, now=datetime.now(UTC))
        report = report.model_copy(update={"incident_ids": tuple(incident.id for incident in opened)})
        return _ended(report, DeployStatus.SMOKE_FAILED, smoke.wrong, FailureClass.DEP_SMOKE)
    verified = taken.record(rollouts, order.commit, started)
    report = report.model_copy(update={"verified": verified})
    told = f"{len(manifests)} objects are applied, {len(rollouts)} workloads serve"
    return _ended(report, DeployStatus.VERIFIED, told)


def decide_release(settings: Settings, manifests: Manifests) -> tuple[ObjectDecision, ...]:
    """The gate's decisions about the objects of a release."""
    return decide_objects(
        [KubeObject(raw=item) for item in manifests],
        protected_namespaces=settings.kubernetes.protected_namespaces,
        only_namespaces=settings.kubernetes.namespaces,
        kill_switch=settings.kill_switch,
        policy_dir=settings.object_policy_dir,
    )


def _refused(
    settings: Settings, order: ReleaseOrder, report: DeployReport, refused: Sequence[ObjectRefusal]
) -> DeployReport:
    """The end of a release that the API server does not take; who only wanted to see needs no incident."""
    status = DeployStatus.CONFLICT if refused[0].conflict else DeployStatus.INVALID
    report = report.model_copy(update={"refused": tuple(refused)})
    if not order.dry_run:
        opened = open_refused(settings, refused, commit=order.commit, now=datetime.now(UTC))
        report = report.model_copy(update={"incident_ids": tuple(incident.id for incident in opened)})
    told = "; ".join(f"{one.ref}: {one.message}" for one in refused)
    return _ended(report, status, told, class_of(refused))


def _ended(
    report: DeployReport, status: DeployStatus, message: str, failure_class: FailureClass | None = None
) -> DeployReport:
    return report.model_copy(update={"status": status, "message": message, "failure_class": failure_class})


def _reasons(decisions: Sequence[ObjectDecision]) -> str:
    return "; ".join(f"{one.ref}: {one.reason}" for one in decisions)
