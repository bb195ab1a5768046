"""Pins a distribution to a version that exists."""

from tasks.act.patching import PatchParameters, apply_patch, preflight_patch, undo_patch, verify_patch_undone
from tasks.act.spec import ActionSpec
from tasks.domain.plan import Remedy, Risk


class PinDependencyParameters(PatchParameters):
    """The distribution, its new requirement, and the file."""

    package: str
    requirement: str
    file: str


SPEC = ActionSpec(
    name=Remedy.PIN_DEPENDENCY,
    parameters=PinDependencyParameters,
    risk=Risk.MEDIUM,
    preflight=preflight_patch,
    apply=apply_patch,
    undo=undo_patch,
    verify_undone=verify_patch_undone,
)
