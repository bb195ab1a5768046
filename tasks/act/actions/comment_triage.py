"""Writes the triage on the pull request that failed: one comment of ours, which later triages edit."""

from tasks.act.context import ActContext, read_image
from tasks.act.hosted import github_of, require_own_run
from tasks.act.spec import ActionSpec
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk, patch_digest
from tasks.errors import PermanentError

COMMENT_KEY = "triage"
"""In the hidden marker: one comment per pull request, whatever fails on it."""


class CommentParameters(Noun):
    """The pull request; `text_sha256` ties the parameters to the text in the action's preview."""

    pull_request: str
    text_sha256: str


class CommentState(Noun):
    """Our comment on a pull request; both `None` where there is none."""

    repository: str
    pull_request: int
    comment_id: int | None
    body: str | None


def comment_action(context: ActContext, *, pull_request: int, text: str) -> Action:
    """The action that says `text`, which is Markdown, on a pull request."""
    repository = context.incident.signal.repository
    return Action(
        name=Remedy.COMMENT_TRIAGE,
        target=f"{repository}#{pull_request}",
        parameters={"pull_request": str(pull_request), "text_sha256": patch_digest(text)},
        risk=Risk.LOW,
        summary=f"Write the triage on {repository}#{pull_request}",
        undo="delete the comment, or give it its earlier text",
        preview=text,
    )


def _preflight(context: ActContext, action: Action) -> str:
    wanted = CommentParameters.model_validate(dict(action.parameters))
    if patch_digest(action.preview) != wanted.text_sha256:
        raise PermanentError("the text of the comment is not the one that was planned")
    github, run = github_of(context), require_own_run(context)
    found = github.pulls.of_run(run)
    if found is None or str(found.number) != wanted.pull_request:
        raise PermanentError(
            f"run {run.run_id} is not of pull request {wanted.pull_request[:20]!r}: nothing is written"
        )
    if (found.head_repository or "").lower() != run.repository.lower():
        raise PermanentError(f"pull request {found.number} comes from a fork: it is not written to")
    known = github.comments.find(run.repository, found.number, COMMENT_KEY)
    state = CommentState(
        repository=run.repository,
        pull_request=found.number,
        comment_id=known.comment_id if known else None,
        body=known.body if known else None,
    )
    return state.model_dump_json()


def _apply(context: ActContext, action: Action, pre_image: str) -> ActionResult:
    before = read_image(CommentState, pre_image)
    posted = github_of(context).comments.post(before.repository, before.pull_request, COMMENT_KEY, action.preview)
    after = before.model_copy(update={"comment_id": posted.comment_id, "body": posted.body})
    return ActionResult(
        action_name=action.name,
        status=ActionStatus.APPLIED,
        message=f"the triage stands at {posted.url or f'comment {posted.comment_id}'}",
        pre_image=pre_image,
        post_image=after.model_dump_json(),
    )


def _undo(context: ActContext, result: ActionResult) -> ActionResult:
    before = read_image(CommentState, result.pre_image)
    after = read_image(CommentState, result.post_image) if result.post_image else before
    if after.comment_id is None:
        return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "nothing had been written"})
    comments = github_of(context).comments
    now = comments.read(after.repository, after.comment_id)
    if now is not None and now.body == after.body:
        comments.restore(after.repository, after.comment_id, before.body)
        told = "the comment was deleted" if before.body is None else "the comment has its earlier text again"
    else:
        told = "the comment says something later, or is gone: it is left as it is"
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": told})


def _verify_undone(context: ActContext, result: ActionResult) -> bool:
    before = read_image(CommentState, result.pre_image)
    after = read_image(CommentState, result.post_image) if result.post_image else before
    if after.comment_id is None:
        return True
    now = github_of(context).comments.read(after.repository, after.comment_id)
    return now is None or now.body != after.body or now.body == before.body


SPEC = ActionSpec(
    name=Remedy.COMMENT_TRIAGE,
    parameters=CommentParameters,
    risk=Risk.LOW,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
)
