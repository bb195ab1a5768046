"""What the actions without a change have in common: nothing is done to the repository, so nothing is to be undone."""

from tasks.act.context import ActContext, BranchState
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action


def note_state(context: ActContext, _action: Action) -> str:
    """The state on which the plan was made, as JSON.

    Raises:
        ConflictError: the failing branch moved since.
    """
    context.require_target_state()
    state = BranchState(branch=context.branch, tip=None, target_state=context.plan.target_state)
    return state.model_dump_json()


def change_nothing(_context: ActContext, action: Action, pre_image: str) -> ActionResult:
    """Say that the action was taken."""
    return ActionResult(
        action_name=action.name, status=ActionStatus.APPLIED, message=action.summary, pre_image=pre_image
    )


def undo_nothing(_context: ActContext, result: ActionResult) -> ActionResult:
    """Say that nothing had to be undone."""
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been changed"})


def nothing_to_undo(_context: ActContext, _result: ActionResult) -> bool:
    """Always true."""
    return True
