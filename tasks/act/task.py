"""The Prefect tasks of acting. The intent is in the ledger before anything is done, the result after."""

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.act import (
    ActContext,
    action_key,
    apply,
    close_checkout,
    fix_tip,
    merge_action,
    preflight,
    pull_request_action,
)
from tasks.act.checkout import open_checkout
from tasks.act.context import ClusterContext
from tasks.act.hosted import on_github
from tasks.act.marks import marks_of
from tasks.act.opening import marking_context, opened_context, opened_for_cluster
from tasks.act.taking_back import take_back_results
from tasks.act.wording import pull_request_text, pull_request_title
from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.approval import Approval
from tasks.domain.base import Noun
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import ActionResult, ActionStatus, Outcome, Verification
from tasks.domain.plan import Action, Decision, Plan, Remedy, Verdict
from tasks.domain.story import Remediation, Settled, Triage
from tasks.errors import ConflictError, HealflowError, SupersededError, TransientError
from tasks.retrying import RETRYING
from tasks.settings import Settings


class Checkout(Noun):
    """The worktree in which a fix stands to be proven."""

    path: str
    commit: str


def _ledger() -> Ledger:
    return Ledger.shared(Settings().ledger_url)


def _opened(triage: Triage, *, fresh: bool = False) -> AbstractContextManager[ActContext]:
    return opened_context(Settings(), triage.incident, triage.plan, fresh=fresh)


def _where(triage: Triage) -> AbstractContextManager[ActContext] | AbstractContextManager[ClusterContext]:
    """What the actions of this plan are given: a repository, or a cluster."""
    if triage.incident.signal.cluster is not None:
        return opened_for_cluster(Settings(), triage.incident, triage.plan)
    return _opened(triage, fresh=True)


LEASE_SECONDS = 30 * 60
"""Longer than any one heal acts; a lease whose holder died ends by itself."""
_WAIT_SECONDS = 1.0


@task(task_run_name="wait for the target", cache_policy=NO_CACHE, **RETRYING)
def hold_target(triage: Triage) -> bool:
    """Take the lease of the plan's targets, behind any other heal that works on them; true when it had to wait.

    Raises:
        ConflictError: the other heal did not end within the time that a lease lasts.
    """
    ledger, incident_id = _ledger(), triage.incident.id
    waited, until = False, datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
    for name in _lease_names(triage):
        while (holder := ledger.leases.take(name, incident_id, now=datetime.now(UTC), seconds=LEASE_SECONDS)) != (
            incident_id
        ):
            if ledger.incidents.get(holder).incident.status.ended:
                ledger.leases.release(name, holder)
                continue
            if not waited:
                ledger.incidents.note(incident_id, f"waits for {holder}, which works on {name}", at=datetime.now(UTC))
                waited = True
            if datetime.now(UTC) >= until:
                raise ConflictError(f"{holder} has worked on {name} for {LEASE_SECONDS // 60} minutes")
            time.sleep(_WAIT_SECONDS)
    return waited


@task(task_run_name="let the target go", cache_policy=NO_CACHE, **RETRYING)
def release_target(triage: Triage) -> None:
    """Give the leases back."""
    for name in _lease_names(triage):
        _ledger().leases.release(name, triage.incident.id)


def _lease_names(triage: Triage) -> list[str]:
    """One order for all heals, so that no two wait for each other."""
    context = triage.incident.signal.cluster.context if triage.incident.signal.cluster is not None else ""
    watched = triage.cluster.watched if triage.cluster is not None else ()
    named = [action.target for action in triage.plan.actions] + [str(ref) for ref in watched]
    return sorted({f"{context}:{name}"[:256] for name in named})


@task(task_run_name="confirm the moment before acting", cache_policy=NO_CACHE, **RETRYING)
def confirm(triage: Triage, decision: Decision, approval: Approval | None) -> None:
    """The moment before acting: the decision allows it, or the one approval of exactly this plan is used up now. From
    here on the heal acts on this plan, also in a run that goes on after a crash.

    Raises:
        ConflictError: it does not, and nothing may be done.
    """
    ledger, now = _ledger(), datetime.now(UTC)
    _check_still_open(ledger, triage)
    digest = triage.plan.digest(decision.policy_digest)
    if decision.verdict is Verdict.ASK:
        if approval is None or not approval.answer.approves:
            raise ConflictError("policy asks for an approval and there is none")
        if approval.plan_digest != digest:
            raise ConflictError("the approval is for another plan, target state or policy; ask again")
        _check_counts(ledger, approval, now)
        # A run that died after this and before the action goes on with the same use: the incident has not ended.
        if not ledger.approvals.use(approval.request_id, at=now) and _ended(ledger, triage):
            raise ConflictError("the approval was used before; ask again")
    elif decision.verdict is not Verdict.ALLOW:
        raise ConflictError(f"policy says {decision.verdict}")
    settled = Settled(triage=triage, decision=decision, approval=approval)
    ledger.heals.keep(triage.incident.id, settled.model_dump_json())
    if not ledger.incidents.set_status(triage.incident.id, IncidentStatus.ACTING):
        _check_still_open(ledger, triage)


@task(task_run_name="say that the plan is void", cache_policy=NO_CACHE, **RETRYING)
def note_void(triage: Triage, approval: Approval | None, reason: str) -> None:
    """Write into the audit trail that nothing of a plan was done, and why; an approval of it counts for nothing now."""
    told: dict[str, object] = {"reason": reason[:1_000], "actions": [action.summary for action in triage.plan.actions]}
    if approval is not None:
        told |= {"request_id": approval.request_id, "plan_digest": approval.plan_digest}
    kind = "plan.void" if approval is None else "approval.void"
    _ledger().audit.write(kind, incident_id=triage.incident.id, actor="healflow", document=told, at=datetime.now(UTC))


def _check_counts(ledger: Ledger, approval: Approval, now: datetime) -> None:
    """That the ledger holds this very yes, and that it is not from long ago; one in use was looked at before."""
    stored = ledger.approvals.get(approval.request_id)
    if stored is None or stored.answer != approval:
        raise ConflictError("the approval is not the one in the ledger; ask again")
    if not stored.used and not stored.request.lasts(approval.answered_at, now):
        raise ConflictError(f"the approval of {approval.answered_at:%Y-%m-%d %H:%M} UTC is too old by now; ask again")


def _check_still_open(ledger: Ledger, triage: Triage) -> None:
    status = ledger.incidents.get(triage.incident.id).incident.status
    if status.ended:
        raise ConflictError(f"the incident ended meanwhile, it is {status}; nothing is done any more")


def _ended(ledger: Ledger, triage: Triage) -> bool:
    return ledger.incidents.get(triage.incident.id).incident.status.ended


@task(task_run_name="read whether it had acted", cache_policy=NO_CACHE, **RETRYING)
def had_acted(triage: Triage) -> bool:
    """Whether an earlier run had at least the intention to carry out an action of this plan."""
    keys = {action_key(triage.plan, action) for action in triage.plan.actions}
    return any(begun.key in keys for begun in _ledger().memory.actions_of(triage.incident.id))


@task(task_run_name="take action {index}", persist_result=True, **RETRYING)
def carry_out(triage: Triage, index: int, run_id: str) -> ActionResult:
    """Take one action of the plan: preflight, intent, apply, result.

    Raises:
        SupersededError: another run than `run_id` heals the incident by now.
    """
    return _perform(triage, triage.plan.actions[index], run_id)


def _perform(triage: Triage, action: Action, run_id: str) -> ActionResult:
    key, ledger = action_key(triage.plan, action), _ledger()
    known = ledger.memory.action(key)
    if known is not None and known.result is not None:  # done by a run that died later: once is enough
        ledger.incidents.write(triage.incident.id, EntryKind.ACTION_RESULT, known.result, at=datetime.now(UTC))
        return known.result
    with _where(triage) as opened:
        context = replace(opened, begun=known is not None) if isinstance(opened, ClusterContext) else opened
        pre_image = preflight(context, action)
        now = datetime.now(UTC)
        ledger.incidents.write(triage.incident.id, EntryKind.INTENT, action, at=now)
        intent = ledger.memory.intend(
            key, triage.incident, triage.diagnosis, action.name, pre_image, at=now, run_id=run_id
        )
        result = apply(context, action, intent.pre_image)
    ledger.memory.complete(key, result, at=datetime.now(UTC))
    ledger.incidents.write(triage.incident.id, EntryKind.ACTION_RESULT, result, at=datetime.now(UTC))
    return result


@task(task_run_name="plan the marks", cache_policy=NO_CACHE)
def plan_marks(triage: Triage, outcome: Outcome | None) -> Plan | None:
    """What to write on GitHub now, `None` for nothing; what cannot be read there is noted and stops no heal."""
    settings = Settings()
    if not settings.github.can_write or not (settings.github.comment or settings.github.status):
        return None
    try:
        with marking_context(settings, triage.incident, triage.plan) as context:
            actions = marks_of(context, triage, outcome, comment=settings.github.comment, status=settings.github.status)
    except HealflowError as error:
        _ledger().incidents.note(triage.incident.id, f"nothing was written on GitHub: {error}", at=datetime.now(UTC))
        return None
    return triage.plan.model_copy(update={"actions": actions}) if actions else None


@task(task_run_name="leave mark {index}", cache_policy=NO_CACHE)
def leave_mark(triage: Triage, index: int) -> None:
    """Write one mark; it finds its own earlier text, so that repeating it doubles nothing."""
    action, incidents = triage.plan.actions[index], _ledger().incidents
    try:
        with marking_context(Settings(), triage.incident, triage.plan) as context:
            pre_image = preflight(context, action)
            incidents.write(triage.incident.id, EntryKind.INTENT, action, at=datetime.now(UTC))
            result = apply(context, action, pre_image)
    except HealflowError as error:
        incidents.note(triage.incident.id, f"could not write on GitHub: {error}", at=datetime.now(UTC))
        return
    incidents.write(triage.incident.id, EntryKind.ACTION_RESULT, result, at=datetime.now(UTC))


@task(task_run_name="open the fix", cache_policy=NO_CACHE)
def open_fix(triage: Triage) -> Checkout:
    """A worktree that holds the fix, or the failing commit where nothing was changed."""
    with _opened(triage) as context:
        return Checkout(path=str(open_checkout(context)), commit=fix_tip(context) or triage.plan.target_state)


@task(task_run_name="close the fix", cache_policy=NO_CACHE)
def close_fix(triage: Triage) -> None:
    """Remove that worktree; the branch stays."""
    with _opened(triage) as context:
        close_checkout(context)


@task(task_run_name="undo", cache_policy=NO_CACHE, **RETRYING)
def take_back(triage: Triage, results: list[ActionResult]) -> bool:
    """Undo what was done, newest first, and read again whether it is gone."""
    ledger = _ledger()
    in_cluster = triage.incident.signal.cluster is not None
    with _where(triage) if in_cluster else _opened(triage) as context:
        undone = take_back_results(context, triage.plan.actions, results)
    for result in undone.results:
        ledger.incidents.write(triage.incident.id, EntryKind.UNDO, result, at=datetime.now(UTC))
    if undone.problem:
        ledger.incidents.note(triage.incident.id, f"could not undo: {undone.problem}", at=datetime.now(UTC))
    return undone.complete


@task(task_run_name="offer the fix", persist_result=True, **RETRYING)
def merge_fix(
    triage: Triage, results: list[ActionResult], verification: Verification, may_merge: bool, run_id: str
) -> Remediation:
    """Offer the branch: on GitHub as a pull request, here merged when the approval said so and nothing has moved."""
    with _opened(triage) as context:
        tip = fix_tip(context)
        offered = Remediation(results=tuple(results), verification=verification, branch=context.branch if tip else None)
        if tip is None:
            return offered
        if on_github(context):
            title, text = pull_request_title(triage), pull_request_text(triage, verification)
            action = pull_request_action(context, tip=tip, title=title, text=text, proven=verification.passed)
        else:
            action = merge_action(context, proven_tip=tip)
    if action.name == Remedy.OPEN_PULL_REQUEST:
        return _offer(triage, offered, action, run_id)
    if not may_merge:
        return offered
    into = triage.incident.signal.branch
    if into in Settings().protected_branches:
        return offered.model_copy(update={"problem": f"{into} is a protected branch"})
    merged = _offer(triage, offered, action, run_id)
    return merged if merged.problem else merged.model_copy(update={"merged": True})


def _offer(triage: Triage, offered: Remediation, action: Action, run_id: str) -> Remediation:
    """What the fix itself did stays, whatever becomes of offering it."""
    try:
        result = _perform(triage, action, run_id)
    except SupersededError:
        raise
    except HealflowError as error:
        if isinstance(error, TransientError) and action.name == Remedy.OPEN_PULL_REQUEST:
            raise  # tried again, which looks first whether it took effect
        return offered.model_copy(update={"problem": str(error)})
    if result.status is ActionStatus.FAILED:
        return offered.model_copy(update={"problem": result.message})
    return offered.model_copy(update={"results": (*offered.results, result)})
