"""Commits what the formatter made of the files."""

from tasks.act.patching import PatchParameters, apply_patch, preflight_patch, undo_patch, verify_patch_undone
from tasks.act.spec import ActionSpec
from tasks.domain.plan import Remedy, Risk


class FormatterParameters(PatchParameters):
    """`tool` is the formatter as the plan names it."""

    tool: str


SPEC = ActionSpec(
    name=Remedy.RUN_FORMATTER,
    parameters=FormatterParameters,
    risk=Risk.LOW,
    preflight=preflight_patch,
    apply=apply_patch,
    undo=undo_patch,
    verify_undone=verify_patch_undone,
)
