"""The Prefect tasks of acting. The intent is in the ledger before anything is done, the result after."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.act import ActContext, action_key, apply, close_checkout, fix_tip, merge_action, preflight
from tasks.act.checkout import open_checkout
from tasks.act.taking_back import take_back_results
from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Workspace
from tasks.domain.approval import Approval
from tasks.domain.base import Noun
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import ActionResult, ActionStatus, Verification
from tasks.domain.plan import Action, Decision, Verdict
from tasks.domain.story import Remediation, Triage
from tasks.errors import ConflictError, HealflowError, PermanentError
from tasks.retrying import RETRYING
from tasks.settings import Settings


class Checkout(Noun):
    """The worktree in which a fix stands to be proven."""

    path: str
    commit: str


def _ledger() -> Ledger:
    return Ledger.shared(Settings().ledger_url)


def _context(triage: Triage) -> ActContext:
    settings = Settings()
    run = triage.incident.signal.run
    if run is None:
        raise PermanentError("the signal names no run, so there is nothing to act on")
    stored = RunStore(settings.runs_root).read(run.run_id)
    return ActContext(
        workspace=Workspace(settings.worktrees_root),
        repository=Path(stored.repository_path),
        incident=triage.incident,
        plan=triage.plan,
    )


@task(task_run_name="confirm the moment before acting", cache_policy=NO_CACHE, **RETRYING)
def confirm(triage: Triage, decision: Decision, approval: Approval | None) -> None:
    """The moment before acting: the decision allows it, or the one approval of exactly this plan is used up now.

    Raises:
        ConflictError: it does not, and nothing may be done.
    """
    ledger, now = _ledger(), datetime.now(UTC)
    digest = triage.plan.digest(decision.policy_digest)
    if decision.verdict is Verdict.ASK:
        if approval is None or not approval.answer.approves:
            raise ConflictError("policy asks for an approval and there is none")
        if approval.plan_digest != digest:
            raise ConflictError("the approval is for another plan, target state or policy; ask again")
        if not ledger.approvals.use(approval.request_id, at=now) and not _was_begun(ledger, triage):
            raise ConflictError("the approval was used before; ask again")
    elif decision.verdict is not Verdict.ALLOW:
        raise ConflictError(f"policy says {decision.verdict}")
    ledger.incidents.set_status(triage.incident.id, IncidentStatus.ACTING)


def _was_begun(ledger: Ledger, triage: Triage) -> bool:
    """Whether an earlier try of this heal had begun with this very plan: going on is then the same use."""
    keys = {action_key(triage.plan, action) for action in triage.plan.actions}
    return any(begun.key in keys for begun in ledger.memory.actions_of(triage.incident.id))


@task(task_run_name="take action {index}", persist_result=True, **RETRYING)
def carry_out(triage: Triage, index: int) -> ActionResult:
    """Take one action of the plan: preflight, intent, apply, result."""
    return _perform(triage, triage.plan.actions[index])


def _perform(triage: Triage, action: Action) -> ActionResult:
    context, ledger = _context(triage), _ledger()
    key = action_key(triage.plan, action)
    pre_image = preflight(context, action)
    ledger.incidents.write(triage.incident.id, EntryKind.INTENT, action, at=datetime.now(UTC))
    intent = ledger.memory.intend(key, triage.incident, triage.diagnosis, action.name, pre_image, at=datetime.now(UTC))
    result = apply(context, action, intent.pre_image)
    ledger.memory.complete(key, result, at=datetime.now(UTC))
    ledger.incidents.write(triage.incident.id, EntryKind.ACTION_RESULT, result, at=datetime.now(UTC))
    return result


@task(task_run_name="open the fix", cache_policy=NO_CACHE)
def open_fix(triage: Triage) -> Checkout:
    """A worktree that holds the fix, or the failing commit where nothing was changed."""
    context = _context(triage)
    return Checkout(path=str(open_checkout(context)), commit=fix_tip(context) or triage.plan.target_state)


@task(task_run_name="close the fix", cache_policy=NO_CACHE)
def close_fix(triage: Triage) -> None:
    """Remove that worktree; the branch stays."""
    close_checkout(_context(triage))


@task(task_run_name="undo", cache_policy=NO_CACHE, **RETRYING)
def take_back(triage: Triage, results: list[ActionResult]) -> bool:
    """Undo what was done, newest first, and read again whether it is gone."""
    context, ledger = _context(triage), _ledger()
    actions = list(triage.plan.actions)
    undone = take_back_results(context, actions, results)
    for result in undone.results:
        ledger.incidents.write(triage.incident.id, EntryKind.UNDO, result, at=datetime.now(UTC))
    if undone.problem:
        ledger.incidents.note(triage.incident.id, f"could not undo: {undone.problem}", at=datetime.now(UTC))
    return undone.complete


@task(task_run_name="offer the fix", persist_result=True, **RETRYING)
def merge_fix(triage: Triage, results: list[ActionResult], verification: Verification, may_merge: bool) -> Remediation:
    """Offer the proven branch, merged into the failing one when the approval said so and it has not moved."""
    context = _context(triage)
    tip = fix_tip(context)
    proven = Remediation(results=tuple(results), verification=verification, branch=context.branch if tip else None)
    if tip is None or not may_merge:
        return proven
    into = triage.incident.signal.branch
    if into in Settings().protected_branches:
        return proven.model_copy(update={"problem": f"{into} is a protected branch"})
    try:
        merged = _perform(triage, merge_action(context, proven_tip=tip))
    except HealflowError as error:
        return proven.model_copy(update={"problem": str(error)})
    if merged.status is ActionStatus.FAILED:
        return proven.model_copy(update={"problem": merged.message})
    return proven.model_copy(update={"results": (*results, merged), "merged": True})
