"""Changes a manifest in git in the place of the live object: one commit on our branch, offered where people merge.

Neither the cluster nor any other branch is changed; the fix waits for somebody to merge it.
"""

from typing import Literal

from pydantic import Field

from tasks.act.cluster_change import TargetParameters
from tasks.act.context import BranchState, ManifestContext, read_image
from tasks.act.offering import PullRequestState, is_offer_taken_back, our_tip, read_offer, take_offer_back
from tasks.act.patching import (
    INCIDENT_TRAILER,
    apply_patch,
    preflight_patch,
    undo_patch,
    verify_patch_undone,
)
from tasks.act.spec import ActionSpec, Right
from tasks.act.wording import manifest_text
from tasks.domain.base import Noun
from tasks.domain.cluster_state import state_digest
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, NotFoundError, PermanentError

MAX_TITLE_CHARACTERS = 120


class ManifestParameters(TargetParameters):
    """The live object, and the patch of its manifest: `files`, one a line, at `commit` of the branch `base`."""

    commit: str = Field(pattern=r"^[0-9a-f]{40,64}$")
    base: str = Field(min_length=1)
    files: str = Field(min_length=1)
    offer: Literal["branch", "pull_request"]
    patch_sha256: str


class ManifestState(Noun):
    """Our branch here, and what of it is on GitHub: `None` where the repository is not there."""

    local: str
    """JSON, as an action that applies a patch records it."""
    hosted: PullRequestState | None = None


def _preflight(context: ManifestContext, action: Action) -> str:
    wanted = _checked(context, action)
    try:
        live = context.cluster.read(wanted.ref)
    except NotFoundError as error:
        raise ConflictError(f"the plan is void: {wanted.ref} is gone") from error
    if state_digest(live) != wanted.state:
        raise ConflictError(f"the plan is void: {wanted.ref} was changed since it was made")
    local = preflight_patch(context, action)
    hosted = None
    if context.hosted_repository:
        hosted = read_offer(context.require_github(), context.hosted_repository, context.branch)
    return ManifestState(local=local, hosted=hosted).model_dump_json()


def _checked(context: ManifestContext, action: Action) -> ManifestParameters:
    wanted = ManifestParameters.model_validate(dict(action.parameters))
    context.require_may_change(wanted.ref)
    if wanted.base != context.manifests.branch or wanted.commit != context.plan.target_state:
        raise ConflictError(f"the plan is void: it is for {wanted.base}, and the manifests are on another branch now")
    if wanted.offer == "pull_request" and not context.hosted_repository:
        raise ConflictError("the plan is void: the manifests are not on GitHub any more")
    context.require_files_unmoved(wanted.files.split("\n"))
    return wanted


def _apply(context: ManifestContext, action: Action, pre_image: str) -> ActionResult:
    wanted, before = _checked(context, action), read_image(ManifestState, pre_image)
    made = apply_patch(context, action, before.local)
    state, told = ManifestState(local=made.post_image), f"{context.branch} waits to be merged into {wanted.base}"
    if made.status is not ActionStatus.FAILED and before.hosted is not None:
        try:
            hosted = _publish(context, action, wanted, before.hosted, made)
            state, told = state.model_copy(update={"hosted": hosted}), _told(hosted, wanted)
        except PermanentError as error:
            there = _left_there(context, before.hosted)
            state = state.model_copy(update={"hosted": there})
            made = made.model_copy(update={"status": ActionStatus.FAILED, "message": str(error)})
    message = made.message if made.status is ActionStatus.FAILED else told
    return made.model_copy(update={"message": message, "pre_image": pre_image, "post_image": state.model_dump_json()})


def _publish(
    context: ManifestContext, action: Action, wanted: ManifestParameters, before: PullRequestState, made: ActionResult
) -> PullRequestState:
    github, title = context.require_github(), " ".join(action.summary.split())[:MAX_TITLE_CHARACTERS]
    tip = github.branches.commit_files(
        before.repository,
        branch=context.branch,
        base_commit=wanted.commit,
        changes=context.workspace.file_changes(
            context.repository, base=wanted.commit, tip=read_image(BranchState, made.post_image).tip or ""
        ),
        message=f"{title}\n\n{INCIDENT_TRAILER}: {context.incident.id}\n",
        at=context.incident.opened_at,
        expected_tip=our_tip(github, before, incident_id=context.incident.id, base_commit=wanted.commit),
    )
    opened = None
    if wanted.offer == "pull_request":
        opened = github.pulls.open_or_update(
            before.repository,
            head_branch=context.branch,
            base_branch=wanted.base,
            title=title,
            body=manifest_text(context.incident, context.plan, wanted.ref),
        )
    return before.model_copy(update={"tip": tip, "pull_request": opened})


def _told(hosted: PullRequestState, wanted: ManifestParameters) -> str:
    opened = hosted.pull_request
    where = f"the branch {hosted.branch} of {hosted.repository}"
    if opened is not None:
        where = opened.url or f"pull request {opened.number}"
    return f"{where} waits to be merged into {wanted.base}"


def _left_there(context: ManifestContext, before: PullRequestState) -> PullRequestState:
    """What an attempt that was refused had already put on GitHub, so that it is taken back."""
    github, base = context.require_github(), context.plan.target_state
    made = our_tip(github, before, incident_id=context.incident.id, base_commit=base)
    return before.model_copy(update={"tip": made or before.tip})


def _undo(context: ManifestContext, result: ActionResult) -> ActionResult:
    before, told = read_image(ManifestState, result.pre_image), list[str]()
    after = read_image(ManifestState, result.post_image) if result.post_image else before
    if before.hosted is not None and after.hosted is not None and after.hosted != before.hosted:
        told.append(take_offer_back(context.require_github(), before.hosted, after.hosted))
    local = result.model_copy(update={"pre_image": before.local, "post_image": _local(after, before)})
    told.append(undo_patch(context, local).message)
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": "; ".join(told)})


def _local(after: ManifestState, before: ManifestState) -> str:
    return "" if after.local == before.local else after.local


def _verify_undone(context: ManifestContext, result: ActionResult) -> bool:
    before = read_image(ManifestState, result.pre_image)
    if before.hosted is not None and not is_offer_taken_back(context.require_github(), before.hosted):
        return False
    return verify_patch_undone(context, result.model_copy(update={"pre_image": before.local}))


SPEC = ActionSpec(
    name=Remedy.CHANGE_MANIFEST,
    parameters=ManifestParameters,
    risk=Risk.LOW,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
    context=ManifestContext,
    rights=(
        Right(group="apps", resource="deployments", verbs=("get",)),
        Right(group="apps", resource="statefulsets", verbs=("get",)),
        Right(group="apps", resource="daemonsets", verbs=("get",)),
        Right(group="", resource="services", verbs=("get",)),
    ),
)
