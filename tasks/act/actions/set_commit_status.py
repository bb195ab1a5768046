"""Marks the failed commit with what is known of its failure. GitHub keeps no commit unmarked again: an undo says so."""

from tasks.act.context import ActContext, read_image
from tasks.act.hosted import github_of, require_own_run
from tasks.act.spec import ActionSpec
from tasks.domain.base import Noun
from tasks.domain.code_host import CommitStatus, StatusState
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk

STATUS_CONTEXT = "healflow/triage"
WITHDRAWN = "Withdrawn by Healflow"


class StatusParameters(Noun):
    """What the mark says; GitHub shows 140 characters of the description."""

    state: StatusState
    description: str
    target_url: str = ""


class StatusImage(Noun):
    """Our mark on a commit, `None` where there is none."""

    repository: str
    commit: str
    status: CommitStatus | None


def status_action(context: ActContext, *, state: StatusState, description: str, target_url: str = "") -> Action:
    """The action that marks the failed commit."""
    signal = context.incident.signal
    parameters = {"state": str(state), "description": description, "target_url": target_url}
    return Action(
        name=Remedy.SET_COMMIT_STATUS,
        target=f"{signal.repository}@{signal.commit[:12]}",
        parameters=parameters,
        risk=Risk.LOW,
        summary=f"Mark {signal.commit[:12]} as {state}: {description}"[:200],
        undo="give the commit its earlier mark, or mark it as withdrawn",
    )


def _preflight(context: ActContext, _action: Action) -> str:
    run = require_own_run(context)
    known = github_of(context).statuses.newest(run.repository, run.commit, STATUS_CONTEXT)
    return StatusImage(repository=run.repository, commit=run.commit, status=known).model_dump_json()


def _apply(context: ActContext, action: Action, pre_image: str) -> ActionResult:
    wanted, before = StatusParameters.model_validate(dict(action.parameters)), read_image(StatusImage, pre_image)
    mark = CommitStatus(
        context=STATUS_CONTEXT, state=wanted.state, description=wanted.description, target_url=wanted.target_url
    )
    made = github_of(context).statuses.mark(before.repository, before.commit, mark)
    return ActionResult(
        action_name=action.name,
        status=ActionStatus.APPLIED,
        message=f"{before.commit[:12]} is marked {made.state} in {STATUS_CONTEXT}",
        pre_image=pre_image,
        post_image=before.model_copy(update={"status": made}).model_dump_json(),
    )


def _withdrawn(before: StatusImage) -> CommitStatus:
    """What stands there after an undo: no verdict where there was none."""
    return before.status or CommitStatus(context=STATUS_CONTEXT, state=StatusState.PENDING, description=WITHDRAWN)


def _undo(context: ActContext, result: ActionResult) -> ActionResult:
    before = read_image(StatusImage, result.pre_image)
    if not result.post_image:
        return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been marked"})
    restored = github_of(context).statuses.mark(before.repository, before.commit, _withdrawn(before))
    told = f"{before.commit[:12]} is marked {restored.state} again" if before.status else "the mark was withdrawn"
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": told})


def _verify_undone(context: ActContext, result: ActionResult) -> bool:
    before = read_image(StatusImage, result.pre_image)
    now = github_of(context).statuses.newest(before.repository, before.commit, STATUS_CONTEXT)
    return now == before.status or now == _withdrawn(before)


SPEC = ActionSpec(
    name=Remedy.SET_COMMIT_STATUS,
    parameters=StatusParameters,
    risk=Risk.LOW,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
)
