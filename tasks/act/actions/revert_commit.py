"""Takes the changes of one commit back by a new one; nothing is removed from history."""

from tasks.act.patching import PatchParameters, apply_patch, preflight_patch, undo_patch, verify_patch_undone
from tasks.act.spec import ActionSpec
from tasks.domain.plan import Remedy, Risk


class RevertParameters(PatchParameters):
    """The commit that is reverted."""

    commit: str


SPEC = ActionSpec(
    name=Remedy.REVERT_COMMIT,
    parameters=RevertParameters,
    risk=Risk.MEDIUM,
    preflight=preflight_patch,
    apply=apply_patch,
    undo=undo_patch,
    verify_undone=verify_patch_undone,
)
