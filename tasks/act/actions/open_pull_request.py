"""Offers a fix on GitHub: the commits that stand on our local branch, as one commit and one pull request.

The base is the branch that failed, and never another one: what stands there is what the fix was made and proven on.
"""

from typing import Literal

from tasks.act.context import ActContext, read_image
from tasks.act.hosted import github_of, require_branch_unmoved, require_own_run
from tasks.act.offering import PullRequestState, is_offer_taken_back, our_tip, read_offer, take_offer_back
from tasks.act.patching import INCIDENT_TRAILER
from tasks.act.spec import ActionSpec
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk, patch_digest
from tasks.errors import ConflictError, PermanentError

MAX_TITLE_CHARACTERS = 120


class PullRequestParameters(Noun):
    """`tip` is the local commit that is offered; `text_sha256` ties the parameters to the text in the preview."""

    base: str
    head: str
    tip: str
    title: str
    proof: Literal["proven", "not_proven"]
    text_sha256: str


def pull_request_action(context: ActContext, *, tip: str, title: str, text: str, proven: bool) -> Action:
    """The action that offers the commit `tip` of our local branch; `text` is Markdown that says how it was proven."""
    base = context.incident.signal.branch
    return Action(
        name=Remedy.OPEN_PULL_REQUEST,
        target=f"{context.incident.signal.repository}: {context.branch} into {base}",
        parameters={
            "base": base,
            "head": context.branch,
            "tip": tip,
            "title": " ".join(title.split())[:MAX_TITLE_CHARACTERS],
            "proof": "proven" if proven else "not_proven",
            "text_sha256": patch_digest(text),
        },
        risk=Risk.LOW,
        summary=f"Open a pull request from {context.branch} into {base}",
        undo=f"close the pull request and delete the branch {context.branch} on GitHub",
        preview=text,
    )


def offered_action(context: ActContext, result: ActionResult) -> Action:
    """The action that made this result, as far as taking it back needs."""
    after = read_image(PullRequestState, result.post_image or result.pre_image)
    return pull_request_action(context, tip=after.tip or "", title="", text="", proven=False)


def _preflight(context: ActContext, action: Action) -> str:
    wanted, repository = _checked(context, action), context.incident.signal.repository
    github = github_of(context)
    require_own_run(context)
    require_branch_unmoved(context)
    if context.workspace.branch_tip(context.repository, context.branch) != wanted.tip:
        raise ConflictError(f"{context.branch} is no longer at {wanted.tip[:12]}, which was to be offered")
    return read_offer(github, repository, wanted.head).model_dump_json()


def _checked(context: ActContext, action: Action) -> PullRequestParameters:
    wanted = PullRequestParameters.model_validate(dict(action.parameters))
    if wanted.head != context.branch:
        raise PermanentError(f"{wanted.head!r} is not the branch of {context.incident.id}")
    if wanted.base != context.incident.signal.branch:
        raise PermanentError(f"{wanted.base!r} is not the branch that failed: no pull request goes there")
    if patch_digest(action.preview) != wanted.text_sha256:
        raise PermanentError("the text of the pull request is not the one that was planned")
    return wanted


def _apply(context: ActContext, action: Action, pre_image: str) -> ActionResult:
    wanted, before = _checked(context, action), read_image(PullRequestState, pre_image)
    github = github_of(context)
    changes = context.workspace.file_changes(context.repository, base=context.plan.target_state, tip=wanted.tip)
    try:
        tip = github.branches.commit_files(
            before.repository,
            branch=wanted.head,
            base_commit=context.plan.target_state,
            changes=changes,
            message=f"{wanted.title}\n\n{INCIDENT_TRAILER}: {context.incident.id}\n",
            at=context.incident.opened_at,
            expected_tip=_our_tip(context, before),
        )
        opened = github.pulls.open_or_update(
            before.repository,
            head_branch=wanted.head,
            base_branch=wanted.base,
            title=wanted.title,
            body=action.preview,
        )
    except PermanentError as error:
        return _withdrawn(context, action, before, str(error))
    state = PullRequestState(repository=before.repository, branch=wanted.head, tip=tip, pull_request=opened)
    conflict = "; GitHub sees a conflict with the base" if opened.conflicts else ""
    return ActionResult(
        action_name=action.name,
        status=ActionStatus.APPLIED,
        message=f"{opened.url or f'pull request {opened.number}'} into {wanted.base} ({wanted.proof}){conflict}",
        pre_image=pre_image,
        post_image=state.model_dump_json(),
    )


def _withdrawn(context: ActContext, action: Action, before: PullRequestState, problem: str) -> ActionResult:
    """A branch without a pull request is of no use to anybody: what this attempt made is taken away again."""
    github = github_of(context)
    made = _our_tip(context, before)
    if before.tip is None and made is not None:
        github.branches.restore(before.repository, before.branch, expected_tip=made, to=None)
    return ActionResult(
        action_name=action.name, status=ActionStatus.FAILED, message=problem, pre_image=before.model_dump_json()
    )


def _our_tip(context: ActContext, before: PullRequestState) -> str | None:
    """Where our branch ends on GitHub, if that is a commit of this incident with nobody's commit on top of it."""
    github, base = github_of(context), context.plan.target_state
    return our_tip(github, before, incident_id=context.incident.id, base_commit=base)


def _undo(context: ActContext, result: ActionResult) -> ActionResult:
    if not result.post_image:
        return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been opened"})
    github, before = github_of(context), read_image(PullRequestState, result.pre_image)
    after = read_image(PullRequestState, result.post_image)
    if after.pull_request is None or after.tip is None:
        return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been opened"})
    told = take_offer_back(github, before, after)
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": told})


def _verify_undone(context: ActContext, result: ActionResult) -> bool:
    return is_offer_taken_back(github_of(context), read_image(PullRequestState, result.pre_image))


SPEC = ActionSpec(
    name=Remedy.OPEN_PULL_REQUEST,
    parameters=PullRequestParameters,
    risk=Risk.LOW,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
)
