"""What all actions that apply a patch have in common: the patch that was approved becomes one commit on our branch."""

from tasks.act.context import ActContext, BranchState, action_key, read_image
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, patch_digest
from tasks.errors import ConflictError, PermanentError

INCIDENT_TRAILER = "Healflow-Incident"
ACTION_TRAILER = "Healflow-Action"
_SUBJECT_CHARACTERS = 72


class PatchParameters(Noun):
    """`patch_sha256` ties the parameters to the patch in the action's preview."""

    patch_sha256: str


def preflight_patch(context: ActContext, action: Action) -> str:
    """Check that the plan still holds, and return the state that undo restores, as JSON.

    Raises:
        ConflictError: the failing branch moved since.
        PermanentError: the preview is not the patch that the parameters name.
    """
    if patch_digest(action.preview) != action.parameters.get("patch_sha256"):
        raise PermanentError(f"the patch of {action.name} is not the one that was planned: nothing was applied")
    context.require_target_state()
    target = context.plan.target_state
    tip = context.workspace.branch_tip(context.repository, context.branch)
    done = _find_done(context, action)
    if done is not None:
        tip = context.workspace.parent_of(context.repository, done)
    return BranchState(branch=context.branch, tip=None if tip == target else tip, target_state=target).model_dump_json()


def _find_done(context: ActContext, action: Action) -> str | None:
    """The commit that this very action made before, on our branch."""
    return context.workspace.find_trailer(
        context.repository,
        branch=context.branch,
        since=context.plan.target_state,
        trailer=ACTION_TRAILER,
        value=action_key(context.plan, action),
    )


def apply_patch(context: ActContext, action: Action, pre_image: str) -> ActionResult:
    """Commit the approved patch on our branch, once; what does not apply leaves the branch as it was.

    Raises:
        ConflictError: our branch is not where the pre-image says.
    """
    before = read_image(BranchState, pre_image)
    done = _find_done(context, action)
    if done is not None:
        return _result(context, action, ActionStatus.ALREADY_APPLIED, "an earlier attempt had done it", pre_image, done)
    tip = context.workspace.branch_tip(context.repository, context.branch)
    if tip not in (before.tip, before.target_state):
        raise ConflictError(f"{context.branch} is at {str(tip)[:12]} and holds commits that are not of this plan")
    worktree = context.workspace.prepare(
        context.repository, name=context.worktree_name, commit=context.plan.target_state, branch=context.branch
    )
    try:
        context.workspace.apply_patch(worktree, action.preview)
        made = context.workspace.commit_all(worktree, message=_message(action), trailers=_trailers(context, action))
    except PermanentError as error:
        withdraw(context, before)
        return ActionResult(
            action_name=action.name, status=ActionStatus.FAILED, message=str(error), pre_image=pre_image
        )
    return _result(context, action, ActionStatus.APPLIED, action.summary, pre_image, made)


def withdraw(context: ActContext, before: BranchState) -> None:
    """Remove the worktree, and the branch if it holds nothing and was not there before."""
    context.workspace.remove(context.repository, context.worktree_name)
    tip = context.workspace.branch_tip(context.repository, context.branch)
    if before.tip is None and tip == before.target_state:
        context.workspace.delete_branch(context.repository, context.branch, expected_tip=before.target_state)


def _message(action: Action) -> str:
    told = " ".join(action.summary.split())
    subject = told.partition(" (")[0]
    if len(subject) > _SUBJECT_CHARACTERS:
        subject = f"{subject[: _SUBJECT_CHARACTERS - 1]}…"
    return subject if subject == told else f"{subject}\n\n{told}"


def _trailers(context: ActContext, action: Action) -> dict[str, str]:
    return {INCIDENT_TRAILER: context.incident.id, ACTION_TRAILER: action_key(context.plan, action)}


def _result(
    context: ActContext, action: Action, status: ActionStatus, message: str, pre_image: str, commit: str
) -> ActionResult:
    after = BranchState(branch=context.branch, tip=commit, target_state=context.plan.target_state)
    return ActionResult(
        action_name=action.name,
        status=status,
        message=f"{message} ({commit[:12]} on {context.branch})",
        pre_image=pre_image,
        post_image=after.model_dump_json(),
    )


def undo_patch(context: ActContext, result: ActionResult) -> ActionResult:
    """Take the commit off our branch again: the branch is deleted if this action made it, else set back.

    Raises:
        ConflictError: the branch has moved since, so that something of someone else's would be lost.
    """
    before = read_image(BranchState, result.pre_image)
    if not result.post_image:
        return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been changed"})
    tip = read_image(BranchState, result.post_image).tip or before.target_state
    now = context.workspace.branch_tip(context.repository, context.branch)
    if now not in (None, tip, before.tip):
        raise ConflictError(f"{context.branch} was at {tip[:12]} and is now at {str(now)[:12]}: it is left as it is")
    context.workspace.remove(context.repository, context.worktree_name)
    if before.tip is None:
        context.workspace.delete_branch(context.repository, context.branch, expected_tip=tip)
        message = f"{context.branch} was deleted"
    else:
        context.workspace.set_back(context.repository, context.branch, expected_tip=tip, to=before.tip)
        message = f"{context.branch} was set back to {before.tip[:12]}"
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": message})


def verify_patch_undone(context: ActContext, result: ActionResult) -> bool:
    """Whether our branch is as it was before the action."""
    before = read_image(BranchState, result.pre_image)
    return context.workspace.branch_tip(context.repository, context.branch) == before.tip
