"""Remediate: the acting half of a heal. Act, prove, undo what did not help, merge what did and may be merged."""

from prefect import flow
from prefect.logging import get_run_logger

from tasks.act.task import (
    Checkout,
    carry_out,
    close_fix,
    confirm,
    had_acted,
    hold_target,
    merge_fix,
    note_void,
    open_fix,
    release_target,
    take_back,
)
from tasks.domain.approval import Answer, Approval
from tasks.domain.code_host import OWN_BRANCH_PREFIX
from tasks.domain.incident import SignalSource
from tasks.domain.outcome import ActionResult, ActionStatus, Verification
from tasks.domain.plan import Decision, Remedy
from tasks.domain.story import Remediation, Triage
from tasks.errors import ConflictError, PermanentError
from tasks.gate.task import look_again
from tasks.verify.task import healthy_by_itself, prove, prove_in_cluster


@flow(name="remediate", flow_run_name="remediate-{triage.incident.id}", persist_result=True, result_serializer="json")
def remediate(triage: Triage, decision: Decision, approval: Approval | None, run_id: str) -> Remediation:
    """Carry out an allowed or approved plan; one that is void by now is not begun. `run_id` is the heal's own run."""
    if triage.cluster is None:
        return _act(triage, decision, approval, run_id)
    hold_target(triage)
    try:
        well = None if had_acted(triage) else healthy_by_itself(triage)
        if well is not None:
            get_run_logger().info("It is healthy by now: nothing is done")
            return Remediation(results=(), verification=Verification.model_validate(well))
        return _act(triage, decision, approval, run_id)
    finally:
        release_target(triage)


def _act(triage: Triage, decision: Decision, approval: Approval | None, run_id: str) -> Remediation:
    try:
        look_again(triage.incident, decision)
        confirm(triage, decision, approval)
    except ConflictError as error:
        note_void(triage, approval, str(error))
        raise
    results: list[ActionResult] = []
    for index in range(len(triage.plan.actions)):
        try:
            result = ActionResult.model_validate(carry_out(triage, index, run_id))
        except PermanentError as error:
            if isinstance(error, ConflictError) and not results:
                note_void(triage, approval, str(error))
            return _undo(triage, results, None, problem=str(error))
        results.append(result)
        get_run_logger().info("%s %s: %s", result.action_name, result.status, result.message)
        if result.status is ActionStatus.FAILED:
            return _undo(triage, results, None, problem=result.message)
    return _conclude(triage, approval, results, run_id)


def _conclude(triage: Triage, approval: Approval | None, results: list[ActionResult], run_id: str) -> Remediation:
    """Prove what was done; what was made in git is proven by whoever merges it."""
    if any(action.name == Remedy.CHANGE_MANIFEST for action in triage.plan.actions):
        branch = OWN_BRANCH_PREFIX + triage.incident.id
        return Remediation(results=tuple(results), branch=branch, waits_for_merge=True)
    verification = _prove(triage)
    get_run_logger().info("The fix %s", _told(verification))
    if triage.cluster is not None:
        proven = Remediation(results=tuple(results), verification=verification)
        return proven if verification.passed else _undo(triage, results, verification, problem="")
    if not verification.passed and not verification.inconclusive:
        return _undo(triage, results, verification, problem="")
    may_merge = approval is not None and approval.answer is Answer.APPROVE_AND_MERGE
    offered = Remediation.model_validate(merge_fix(triage, results, verification, may_merge, run_id))
    if offered.problem and triage.incident.signal.source is SignalSource.GITHUB:
        # Nobody sees a branch that is only in our copy of the repository.
        return _undo(triage, list(offered.results), verification, problem=offered.problem)
    return offered


def _told(verification: Verification) -> str:
    if verification.passed:
        return "is proven"
    return f"is not proven: {verification.inconclusive}" if verification.inconclusive else "did not help and is undone"


def _prove(triage: Triage) -> Verification:
    if triage.cluster is not None:
        return Verification.model_validate(prove_in_cluster(triage))
    checkout = Checkout.model_validate(open_fix(triage))
    try:
        return Verification.model_validate(prove(triage, checkout.path, checkout.commit))
    finally:
        close_fix(triage)


def _undo(
    triage: Triage, results: list[ActionResult], verification: Verification | None, *, problem: str
) -> Remediation:
    undone = take_back(triage, results) if results else None
    return Remediation(results=tuple(results), verification=verification, undone=undone, problem=problem)
