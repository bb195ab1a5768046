"""Bumps vulnerable dependencies, or a base image, to the fixed versions that a scanner's report names."""

from pydantic import Field, Json

from tasks.act.patching import PatchParameters, apply_patch, preflight_patch, undo_patch, verify_patch_undone
from tasks.act.spec import ActionSpec
from tasks.domain.base import Noun
from tasks.domain.plan import Remedy, Risk


class Bump(Noun):
    """One package or image: the version it had, the fixed one, and the file that names it."""

    package: str = Field(min_length=1)
    installed: str
    to: str = Field(min_length=1)
    file: str = Field(min_length=1)


class BumpDependencyParameters(PatchParameters):
    """What is bumped, as a JSON list."""

    bumps: Json[tuple[Bump, ...]] = Field(min_length=1)


SPEC = ActionSpec(
    name=Remedy.BUMP_DEPENDENCY,
    parameters=BumpDependencyParameters,
    risk=Risk.MEDIUM,
    preflight=preflight_patch,
    apply=apply_patch,
    undo=undo_patch,
    verify_undone=verify_patch_undone,
)
