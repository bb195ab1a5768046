"""Makes an object again that is gone, as its manifest in git says; what it says is read the moment it is made.

Plan, pre-image and messages hold the place in git and nothing of the content. A Secret is never read back from the
cluster: that one is there is what the API server answers when it is to be made.
"""

from pydantic import Field

from tasks.act.context import ClusterContext, read_image
from tasks.act.from_git import DescribedParameters, made_anew, read_described
from tasks.act.spec import ActionSpec, Right
from tasks.domain.base import Noun
from tasks.domain.cluster import KubeObject, ObjectRef, mapping_of
from tasks.domain.cluster_state import MADE_FOR, state_digest
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, ForbiddenError, HealflowError, NotFoundError, PermanentError, TransientError

_KINDS = ("ConfigMap", "Service", "Secret")


class ReapplyParameters(DescribedParameters):
    """The object that is gone, and where git describes it."""

    commit: str = Field(pattern=r"^[0-9a-f]{40,64}$")
    path: str = Field(min_length=1)


class MadeObject(Noun):
    """What was made; the rest is empty before."""

    target: ObjectRef
    uid: str = ""
    version: str = ""
    """Its `resourceVersion` right after it was made."""


def _preflight(context: ClusterContext, action: Action) -> str:
    wanted = _wanted(context, action)
    image = MadeObject(target=wanted.ref).model_dump_json()
    if _ours(context, wanted.ref) is not None:
        return image
    absent = KubeObject(raw={"kind": wanted.kind, "metadata": {"namespace": wanted.namespace, "name": wanted.name}})
    if wanted.state != state_digest(absent):
        raise ConflictError(f"the plan is void: it was made while {wanted.ref} was there")
    try:
        _create(context, wanted, dry_run=True)
    except ConflictError:
        if not _may_be_ours(context, wanted):
            raise
    return image


def _apply(context: ClusterContext, action: Action, pre_image: str) -> ActionResult:
    wanted = _wanted(context, action)
    there, status = _ours(context, wanted.ref), ActionStatus.ALREADY_APPLIED
    try:
        if there is None:
            there, status = _create(context, wanted, dry_run=False), ActionStatus.APPLIED
    except ConflictError:
        if not _may_be_ours(context, wanted):
            raise
        return _found(wanted, action, pre_image)
    metadata = mapping_of(there.raw.get("metadata"))
    made = MadeObject(
        target=wanted.ref, uid=str(metadata.get("uid")), version=str(metadata.get("resourceVersion") or "")
    )
    return ActionResult(
        action_name=action.name,
        status=status,
        message=f"{wanted.ref} was made from {wanted.path} at {wanted.commit[:12]}",
        pre_image=pre_image,
        post_image=made.model_dump_json(),
    )


def _may_be_ours(context: ClusterContext, wanted: ReapplyParameters) -> bool:
    """Whether a Secret that is there may be what an interrupted attempt made. It was not there before that attempt, and
    whose it is would stand in it; what matters is that it is there, and that it is never deleted on a guess."""
    return wanted.kind == "Secret" and context.begun


def _found(wanted: ReapplyParameters, action: Action, pre_image: str) -> ActionResult:
    told = (
        f"{wanted.ref} is there since an attempt to make it from {wanted.path} at {wanted.commit[:12]} was interrupted"
    )
    return ActionResult(
        action_name=action.name,
        status=ActionStatus.ALREADY_APPLIED,
        message=told,
        pre_image=pre_image,
        post_image=MadeObject(target=wanted.ref).model_dump_json(),
    )


def _undo(context: ClusterContext, result: ActionResult) -> ActionResult:
    made = read_image(MadeObject, result.post_image)
    context.require_may_change(made.target)
    if not made.uid:
        raise ConflictError(
            f"whether {made.target} was made by us is not known, as the attempt was interrupted; it is left as it is"
        )
    try:
        context.cluster.delete(made.target, uid=made.uid, version=made.version)
    except NotFoundError:
        pass
    except ConflictError as error:
        if not _is_gone(context, made):
            raise ConflictError(f"{made.target} was changed by somebody else since; it is left as it is") from error
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": f"{made.target} was deleted again"})


def _verify_undone(context: ClusterContext, result: ActionResult) -> bool:
    return _is_gone(context, read_image(MadeObject, result.post_image))


def _is_gone(context: ClusterContext, made: MadeObject) -> bool:
    """Told by a deletion that is only tried, so that a Secret need not be read for it."""
    try:
        context.cluster.delete(made.target, uid=made.uid, dry_run=True)
    except (NotFoundError, ConflictError):
        return True
    return False


def _wanted(context: ClusterContext, action: Action) -> ReapplyParameters:
    wanted = ReapplyParameters.model_validate(dict(action.parameters))
    if wanted.kind not in _KINDS:
        raise PermanentError(f"{action.name} is not for a {wanted.kind[:40]}")
    wanted.require_namespace()
    context.require_may_change(wanted.ref)
    return wanted


def _ours(context: ClusterContext, ref: ObjectRef) -> KubeObject | None:
    """What an interrupted attempt of this heal made; nobody else's object is taken for it."""
    if ref.kind == "Secret":
        return None
    there = context.find(ref)
    if there is not None and there.annotations.get(MADE_FOR) != context.incident.id:
        raise ConflictError(f"the plan is void: {ref} is there by now")
    return there


def _create(context: ClusterContext, wanted: ReapplyParameters, *, dry_run: bool) -> KubeObject:
    body = made_anew(read_described(context, wanted), wanted.namespace, context.incident.id)
    try:
        return context.cluster.create(body, dry_run=dry_run)
    except ConflictError as error:
        raise ConflictError(f"the plan is void: {wanted.ref} is there by now") from _told(wanted, error)
    except HealflowError as error:
        if wanted.kind != "Secret":
            raise
        raise _without_words(wanted, error) from None


def _told(wanted: ReapplyParameters, error: HealflowError) -> HealflowError | None:
    return None if wanted.kind == "Secret" else error


def _without_words(wanted: ReapplyParameters, error: HealflowError) -> HealflowError:
    """What an API server refuses it quotes, which may be a value of a Secret."""
    told = f"the API server refuses {wanted.ref} as {wanted.path} at {wanted.commit[:12]} describes it"
    if isinstance(error, TransientError):
        return TransientError(f"{wanted.ref} could not be made now", retry_after_seconds=error.retry_after_seconds)
    return ForbiddenError(told) if isinstance(error, ForbiddenError) else PermanentError(told)


SPEC = ActionSpec(
    name=Remedy.REAPPLY_OBJECT,
    parameters=ReapplyParameters,
    risk=Risk.MEDIUM,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
    context=ClusterContext,
    rights=(
        Right(group="", resource="configmaps", verbs=("get", "create", "delete")),
        Right(group="", resource="services", verbs=("get", "create", "delete")),
        Right(group="", resource="secrets", verbs=("create", "delete")),
    ),
)
