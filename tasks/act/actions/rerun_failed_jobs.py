"""Runs the failed jobs once more, unchanged.

The one re-run that is allowed is the verification itself, which runs exactly the failed jobs: running them here too
would be a second try.
"""

from tasks.act.spec import ActionSpec
from tasks.act.unchanging import change_nothing, note_state, nothing_to_undo, undo_nothing
from tasks.domain.base import Noun
from tasks.domain.plan import Remedy, Risk


class RerunParameters(Noun):
    """The run, and the names of its failed jobs as a JSON list."""

    run_id: str
    jobs: str


SPEC = ActionSpec(
    name=Remedy.RERUN_FAILED_JOBS,
    parameters=RerunParameters,
    risk=Risk.LOW,
    preflight=note_state,
    apply=change_nothing,
    undo=undo_nothing,
    verify_undone=nothing_to_undo,
)
