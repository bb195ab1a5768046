"""Runs the failed jobs once more, unchanged.

Of a run on this machine, the one re-run that is allowed is the verification itself, which runs exactly the failed jobs:
running them here too would be a second try. Of a run on GitHub, GitHub is asked for a new attempt, once.
"""

from pydantic import Field

from tasks.act.context import ActContext, read_image
from tasks.act.hosted import github_of, on_github, require_branch_unmoved, require_own_run
from tasks.act.spec import ActionSpec
from tasks.act.unchanging import change_nothing, note_state, nothing_to_undo, undo_nothing
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, PermanentError


class RerunParameters(Noun):
    """The run, and the names of its failed jobs as a JSON list."""

    run_id: str
    jobs: str


class AttemptState(Noun):
    """The newest attempt of a run on GitHub."""

    run_id: str
    attempt: int = Field(ge=1)


def _preflight(context: ActContext, action: Action) -> str:
    if not on_github(context):
        return note_state(context, action)
    wanted, signal = RerunParameters.model_validate(dict(action.parameters)), context.incident.signal
    run = require_own_run(context)
    if wanted.run_id != run.run_id:
        raise PermanentError(f"the plan names run {wanted.run_id[:40]!r}, and the incident is of run {run.run_id}")
    failed = signal.run.attempt if signal.run else 1
    if run.attempt > failed + 1 or (run.attempt == failed and not run.ended):
        raise ConflictError(f"run {run.run_id} is at attempt {run.attempt} ({run.status}): someone runs it again")
    if run.attempt == failed:
        require_branch_unmoved(context)
    return AttemptState(run_id=run.run_id, attempt=failed).model_dump_json()


def _apply(context: ActContext, action: Action, pre_image: str) -> ActionResult:
    if not on_github(context):
        return change_nothing(context, action, pre_image)
    before = read_image(AttemptState, pre_image)
    run = require_own_run(context)
    already = run.attempt > before.attempt
    attempt = run.attempt if already else github_of(context).runs.rerun_failed_jobs(run)
    after = AttemptState(run_id=before.run_id, attempt=attempt)
    return ActionResult(
        action_name=action.name,
        status=ActionStatus.ALREADY_APPLIED if already else ActionStatus.APPLIED,
        message=f"attempt {attempt} of run {before.run_id} {'had been' if already else 'was'} started",
        pre_image=pre_image,
        post_image=after.model_dump_json(),
    )


SPEC = ActionSpec(
    name=Remedy.RERUN_FAILED_JOBS,
    parameters=RerunParameters,
    risk=Risk.LOW,
    preflight=_preflight,
    apply=_apply,
    undo=undo_nothing,
    verify_undone=nothing_to_undo,
)
