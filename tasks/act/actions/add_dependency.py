"""Adds a missing distribution to the file that names the dependencies."""

from tasks.act.patching import PatchParameters, apply_patch, preflight_patch, undo_patch, verify_patch_undone
from tasks.act.spec import ActionSpec
from tasks.domain.plan import Remedy, Risk


class AddDependencyParameters(PatchParameters):
    """The module that was missing, the requirement that is added, and the file."""

    module: str
    requirement: str
    file: str


SPEC = ActionSpec(
    name=Remedy.ADD_DEPENDENCY,
    parameters=AddDependencyParameters,
    risk=Risk.MEDIUM,
    preflight=preflight_patch,
    apply=apply_patch,
    undo=undo_patch,
    verify_undone=verify_patch_undone,
)
