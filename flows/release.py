"""Release: the story of one deploy, with plain steps for the command line, or Prefect's tasks for the flow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.deploy_incidents import class_of, open_failed_rollouts, open_failed_smoke, open_refused
from flows.held_release import Asker, Held, begin, end_release, hold_release
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, Approval
from tasks.domain.cluster import KubeObject, ObjectRef
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Verdict
from tasks.domain.rollout import (
    DeployReport,
    DeployStatus,
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
from tasks.errors import ConflictError
from tasks.gate.objects import decide_objects, frozen_now, joint_terms
from tasks.rollout import steps
from tasks.settings import Settings

Tell = Callable[[str], None]


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


def bring_out(settings: Settings, order: ReleaseOrder, taken: Steps, *, asker: Asker | None) -> DeployReport:
    """Bring a release out, and say how that ended; what fails opens an incident for the heal flow.

    `asker` is used only where policy wants a person, and only after the dry run; with `None` nobody is there to ask,
    and the answer is no.

    Raises:
        HealflowError: the release cannot be rendered, or the cluster or the ledger cannot be reached.
    """
    report = _bring_out(settings, order, taken, asker)
    told = (*report.incident_ids, report.held_id)[0]
    if asker is not None and asker.run_id and told:  # the failure of that run is this incident, and no second one
        Ledger.shared(settings.ledger_url).events.mark_run(asker.run_id, told, at=datetime.now(UTC))
    return report


def _bring_out(settings: Settings, order: ReleaseOrder, taken: Steps, asker: Asker | None) -> DeployReport:
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
    if order.dry_run:
        changed = sum(bool(one.text) for one in differences)
        told = f"{changed} of {len(differences)} objects would change; nothing was applied"
        return _ended(report, DeployStatus.DRY_RUN, told)
    if any(one.verdict is Verdict.ASK for one in decisions):
        return _ask_first(settings, order, taken, manifests, report, asker)
    return _apply(settings, order, taken, manifests, report)


def _ask_first(
    settings: Settings,
    order: ReleaseOrder,
    taken: Steps,
    manifests: Manifests,
    report: DeployReport,
    asker: Asker | None,
) -> DeployReport:
    asked = tuple(one for one in report.decisions if one.verdict is Verdict.ASK)
    terms = joint_terms(asked)
    if terms is None:
        return _ended(report, DeployStatus.DENIED, f"policy lets nobody say yes to all of it: {_reasons(asked)}")
    if asker is None:
        told = f"a person has to say yes (at a terminal, by --yes, or elsewhere with --wait): {_reasons(asked)}"
        return _ended(report, DeployStatus.NOT_APPROVED, told)
    held = hold_release(settings, order, manifests, report.differences, asked, terms, asker)
    report = report.model_copy(update={"held_id": held.incident.id})
    approval: Approval | None = None
    try:
        approval = asker.ask(held.triage, held.decision)
        report = _apply_held(settings, order, taken, manifests, report, held, approval)
    except (Exception, KeyboardInterrupt) as error:  # and not the signal with which Prefect suspends a run
        end_release(settings, held, report, approval, problem=f"{type(error).__name__} {error}".strip())
        raise
    end_release(settings, held, report, approval)
    return report


def _apply_held(
    settings: Settings,
    order: ReleaseOrder,
    taken: Steps,
    manifests: Manifests,
    report: DeployReport,
    held: Held,
    approval: Approval | None,
) -> DeployReport:
    if approval is None or not approval.answer.approves:
        return _ended(report, DeployStatus.NOT_APPROVED, _declined(approval))
    try:
        begin(settings, held, approval, taken.preview(manifests).differences)
    except ConflictError as error:
        return _ended(report, DeployStatus.NOT_APPROVED, f"the yes of {approval.told_by} is void: {error}")
    return _apply(settings, order, taken, manifests, report)


def _declined(approval: Approval | None) -> str:
    if approval is None or approval.answer is Answer.EXPIRED:
        return "nobody said yes in time, and silence is no"
    return f"{approval.told_by} said no" + (f": {approval.reason}" if approval.reason else "")


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
    changed = sum(bool(one.text) for one in report.differences)
    objects, serving = _counted(len(manifests), "object"), _counted(len(rollouts), "workload")
    told = f"{changed} of {objects} changed" if changed else f"nothing had to change in {objects}"
    told = f"{told}; {serving} {'serves' if len(rollouts) == 1 else 'serve'}" if rollouts else told
    return _ended(report, DeployStatus.VERIFIED, told)


def decide_release(settings: Settings, manifests: Manifests) -> tuple[ObjectDecision, ...]:
    """The gate's decisions about the objects of a release."""
    return decide_objects(
        [KubeObject(raw=item) for item in manifests],
        protected_namespaces=settings.kubernetes.protected_namespaces,
        only_namespaces=settings.kubernetes.namespaces,
        kill_switch=settings.kill_switch,
        frozen=frozen_now(settings),
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


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _reasons(decisions: Sequence[ObjectDecision]) -> str:
    return "; ".join(f"{one.ref}: {one.reason}" for one in decisions)
