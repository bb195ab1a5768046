"""Takes a heal back: each result undone, newest first, and read again."""

from collections.abc import Sequence

from tasks.act.actions.merge_fix import SPEC as MERGE
from tasks.act.actions.merge_fix import merge_action
from tasks.act.actions.open_pull_request import offered_action
from tasks.act.context import BranchState, ClusterContext, read_image
from tasks.act.registry import Context, undo, verify_undone
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult
from tasks.domain.plan import Action, Remedy
from tasks.errors import PermanentError


class TakenBack(Noun):
    """What became of an undo; `complete` only when every effect was read again and is gone."""

    results: tuple[ActionResult, ...]
    complete: bool
    problem: str = ""


def take_back_results(context: Context, actions: Sequence[Action], results: Sequence[ActionResult]) -> TakenBack:
    """Undo every result, the newest first; stops at the first that cannot be undone."""
    done: list[ActionResult] = []
    for result in reversed(results):
        try:
            undone = undo(context, _action_of(context, actions, result), result)
            done.append(undone)
            if not verify_undone(context, undone):
                return TakenBack(
                    results=tuple(done), complete=False, problem=f"{result.action_name} still shows its effect"
                )
        except PermanentError as error:
            return TakenBack(results=tuple(done), complete=False, problem=str(error))
    return TakenBack(results=tuple(done), complete=True)


def _action_of(context: Context, actions: Sequence[Action], result: ActionResult) -> Action:
    if isinstance(context, ClusterContext):
        return next(action for action in actions if action.name == result.action_name)
    if result.action_name == MERGE.name:
        return merge_action(context, proven_tip=read_image(BranchState, result.post_image).tip or "")
    if result.action_name == Remedy.OPEN_PULL_REQUEST:
        return offered_action(context, result)
    return next(action for action in actions if action.name == result.action_name)
