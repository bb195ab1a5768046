"""Commits the mark that skips a flaky test until a day."""

from datetime import date

from pydantic import Field

from tasks.act.patching import PatchParameters, apply_patch, preflight_patch, undo_patch, verify_patch_undone
from tasks.act.spec import ActionSpec
from tasks.domain.plan import Remedy, Risk


class QuarantineParameters(PatchParameters):
    """The test with its file, the day from which it runs again, and who has to repair it."""

    test: str = Field(min_length=1)
    file: str = Field(min_length=1)
    until: date
    owner: str = Field(min_length=1)


SPEC = ActionSpec(
    name=Remedy.QUARANTINE_TEST,
    parameters=QuarantineParameters,
    risk=Risk.MEDIUM,
    preflight=preflight_patch,
    apply=apply_patch,
    undo=undo_patch,
    verify_undone=verify_patch_undone,
)
