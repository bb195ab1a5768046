"""Merges a proven fix into the branch that failed, when a person approved that too, and takes the merge back."""

from tasks.act.context import ActContext, BranchState, read_image
from tasks.act.spec import ActionSpec
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError


class MergeParameters(Noun):
    """The branch to merge into, and the proven commit at the end of ours."""

    into: str
    tip: str


def merge_action(context: ActContext, *, proven_tip: str) -> Action:
    """The action that merges the commit which verification proved."""
    into = context.incident.signal.branch
    return Action(
        name=Remedy.MERGE_FIX,
        target=into,
        parameters={"into": into, "tip": proven_tip},
        risk=Risk.MEDIUM,
        summary=f"Merge {context.branch} into {into}",
        undo=f"take the merge out of {into} again",
    )


def _preflight(context: ActContext, action: Action) -> str:
    wanted = MergeParameters.model_validate(dict(action.parameters))
    now = context.workspace.branch_tip(context.repository, wanted.into)
    target = context.plan.target_state
    # The fix was proven on this commit; whatever came after it was never run together with the fix.
    if now not in (target, wanted.tip):
        where = f"is now at {now[:12]}" if now else "does not exist here"
        raise ConflictError(f"{wanted.into} {where}, and the fix was proven on {target[:12]}: merge it yourself")
    return BranchState(branch=wanted.into, tip=target, target_state=target).model_dump_json()


def _apply(context: ActContext, action: Action, pre_image: str) -> ActionResult:
    wanted = MergeParameters.model_validate(dict(action.parameters))
    before = read_image(BranchState, pre_image)
    already = context.workspace.branch_tip(context.repository, wanted.into) == wanted.tip
    merged = context.workspace.merge(
        context.repository, branch=context.branch, into=wanted.into, expected_tip=wanted.tip
    )
    if not merged.done:
        return ActionResult(
            action_name=action.name, status=ActionStatus.FAILED, message=merged.problem, pre_image=pre_image
        )
    after = BranchState(branch=wanted.into, tip=merged.after, target_state=before.target_state)
    return ActionResult(
        action_name=action.name,
        status=ActionStatus.ALREADY_APPLIED if already else ActionStatus.APPLIED,
        message=f"{context.branch} was merged into {wanted.into}",
        pre_image=pre_image,
        post_image=after.model_dump_json(),
    )


def _undo(context: ActContext, result: ActionResult) -> ActionResult:
    before = read_image(BranchState, result.pre_image)
    after = read_image(BranchState, result.post_image).tip if result.post_image else None
    if before.tip is None or after is None:
        return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been merged"})
    taken = context.workspace.unmerge(context.repository, into=before.branch, before=before.tip, after=after)
    if not taken.done:
        raise ConflictError(f"the merge into {before.branch} stays: {taken.problem}")
    how = "set back" if taken.after == before.tip else "given a commit that reverts it"
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": f"{before.branch} was {how}"})


def _verify_undone(context: ActContext, result: ActionResult) -> bool:
    before = read_image(BranchState, result.pre_image)
    after = read_image(BranchState, result.post_image).tip if result.post_image else None
    if before.tip is None or after is None:
        return True
    return context.workspace.is_taken_back(context.repository, branch=before.branch, before=before.tip, after=after)


SPEC = ActionSpec(
    name=Remedy.MERGE_FIX,
    parameters=MergeParameters,
    risk=Risk.MEDIUM,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
)
