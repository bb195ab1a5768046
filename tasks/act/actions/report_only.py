"""Changes nothing: the report itself is what a person needs."""

from tasks.act.spec import ActionSpec
from tasks.act.unchanging import change_nothing, note_state, nothing_to_undo, undo_nothing
from tasks.domain.base import Noun
from tasks.domain.plan import Remedy, Risk


class NoParameters(Noun):
    """A report takes no parameters."""


SPEC = ActionSpec(
    name=Remedy.REPORT_ONLY,
    parameters=NoParameters,
    risk=Risk.NONE,
    preflight=note_state,
    apply=change_nothing,
    undo=undo_nothing,
    verify_undone=nothing_to_undo,
)
