"""Deletes a Job that has ended, or cannot get its image, and makes it again: as a manifest in git describes it now, or
as it was.

Most of a Job cannot be changed once it is made, and one that failed does not begin again. The whole old Job is
recorded; taking back makes it again as it was, but suspended, so that what had ended does not run once more.
"""

from typing import Any

from pydantic import Field

from tasks.act.cluster_change import uid_of
from tasks.act.context import ClusterContext, read_image, require_not_from_git
from tasks.act.from_git import DescribedParameters, made_anew, read_described
from tasks.act.spec import ActionSpec, Right
from tasks.act.telling import tell_changes
from tasks.domain.base import Noun
from tasks.domain.cluster import Json, KubeObject, ObjectRef, dig, mapping_of
from tasks.domain.cluster_jobs import not_recreatable, without_its_uid
from tasks.domain.cluster_state import MADE_FOR, state_digest
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, PermanentError, TransientError

_TRIED = "healflow-dry-run-"
"""Begins the name under which the new Job is tried while the old one still has its own."""


class OldJob(Noun):
    """The Job that was there, whole; nothing but its name where an earlier attempt deleted it."""

    target: ObjectRef
    uid: str = ""
    generation: int | None = None
    old: Json = Field(default_factory=dict)
    """What makes it again."""


class NewJob(Noun):
    """The Job that was made in its place."""

    uid: str


def _preflight(context: ClusterContext, action: Action) -> str:
    wanted = _wanted(context, action)
    live = context.find(wanted.ref)
    if live is None or _is_ours(context, live):
        return OldJob(target=wanted.ref).model_dump_json()  # an attempt that was interrupted recorded it
    require_not_from_git(live)
    if state_digest(live) != wanted.state:
        raise ConflictError(f"the plan is void: {wanted.ref} was changed since it was made")
    if why := not_recreatable(live, _pods_of(context, live)):
        raise PermanentError(f"{wanted.ref} is not made again: {why}")
    body = _body(context, wanted, live)
    tried = {**body, "metadata": {**body["metadata"], "name": (_TRIED + wanted.name)[:63].rstrip("-.")}}
    context.cluster.create(tried, dry_run=True)
    uid = uid_of(live)
    context.cluster.delete(wanted.ref, uid=uid, dry_run=True)
    generation = dig(live.raw, "metadata", "generation")
    old = OldJob(target=wanted.ref, uid=uid, generation=generation, old=dict(without_its_uid(live.raw)))
    return old.model_dump_json()


def _apply(context: ClusterContext, action: Action, pre_image: str) -> ActionResult:
    wanted, before = _wanted(context, action), read_image(OldJob, pre_image)
    if not before.old:
        raise ConflictError(f"the plan is void: {wanted.ref} is gone, or was made anew since")
    live = context.find(wanted.ref)
    if live is not None and _is_ours(context, live):
        return _result(action, before, live, ActionStatus.ALREADY_APPLIED, pre_image)
    body = _body(context, wanted, KubeObject(raw=before.old))
    if live is not None:
        _require_same(context, live, before)
        version = str(dig(live.raw, "metadata", "resourceVersion") or "")  # a pod that gets ready meanwhile changes it
        context.cluster.delete(wanted.ref, uid=before.uid, version=version)
        _require_gone(context, wanted.ref)
    try:
        made = context.cluster.create(body)
    except PermanentError as error:
        told = f"{wanted.ref} was deleted, and could not be made again: {error}"
        return ActionResult(
            action_name=action.name, status=ActionStatus.FAILED, message=told[:1000], pre_image=pre_image
        )
    return _result(action, before, made, ActionStatus.APPLIED, pre_image)


def _result(action: Action, before: OldJob, made: KubeObject, status: ActionStatus, pre_image: str) -> ActionResult:
    return ActionResult(
        action_name=action.name,
        status=status,
        message=f"{before.target} was deleted and made again{_as_told(action, before, made)}",
        pre_image=pre_image,
        post_image=NewJob(uid=uid_of(made)).model_dump_json(),
    )


def _as_told(action: Action, before: OldJob, made: KubeObject) -> str:
    """As what it was made again, and with which images in place of which."""
    wanted = DescribedParameters.model_validate(dict(action.parameters))
    how = f" as {wanted.path} at {wanted.commit[:12]} describes it" if wanted.commit else " as it was"
    sides = (KubeObject(raw={"spec": {"template": {"spec": _images(item)}}}) for item in (before.old, made.raw))
    told = tell_changes(*sides)
    return f"{how} ({told})" if told else how


def _images(raw: Json) -> Json:
    rows = (dig(raw, "spec", "template", "spec", kind) or () for kind in ("containers", "initContainers"))
    return {"containers": [{"name": one["name"], "image": one.get("image")} for row in rows for one in row]}


def _undo(context: ClusterContext, result: ActionResult) -> ActionResult:
    before = read_image(OldJob, result.pre_image)
    context.require_may_change(before.target)
    live = context.find(before.target)
    if live is None or not _is_old(live, before):
        if live is not None:
            if not _is_new(context, live, result):
                raise ConflictError(f"{before.target} was made anew by somebody else since; it is left as it is")
            context.cluster.delete(before.target, uid=uid_of(live))
            _require_gone(context, before.target)
        context.cluster.create(_as_it_was(before))
    told = f"{before.target} was made again as it was, and suspended, so that it does not run once more"
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": told})


def _verify_undone(context: ClusterContext, result: ActionResult) -> bool:
    before = read_image(OldJob, result.pre_image)
    live = context.find(before.target)
    return live is not None and _is_old(live, before)


def _is_old(live: KubeObject, before: OldJob) -> bool:
    """Whether it is the Job of before: itself, or made again as it was."""
    if before.uid and uid_of(live) == before.uid:
        return True
    spec = without_its_uid(live.raw)["spec"]
    return MADE_FOR not in live.annotations and bool(spec == _as_it_was(before)["spec"])


def _is_new(context: ClusterContext, live: KubeObject, result: ActionResult) -> bool:
    """Whether it is the Job that the action made; of an action that broke off only its mark is known."""
    if not result.post_image:
        return _is_ours(context, live)
    return uid_of(live) == read_image(NewJob, result.post_image).uid


def _as_it_was(before: OldJob) -> dict[str, Any]:
    body = made_anew(before.old, before.target.namespace, "")
    annotations = {key: value for key, value in body["metadata"]["annotations"].items() if key != MADE_FOR}
    return {**body, "metadata": {**body["metadata"], "annotations": annotations}, "spec": _suspended(before.old)}


def _suspended(old: Json) -> dict[str, Any]:
    return {**mapping_of(old.get("spec")), "suspend": True}


def _wanted(context: ClusterContext, action: Action) -> DescribedParameters:
    wanted = DescribedParameters.model_validate(dict(action.parameters))
    if wanted.kind != "Job":
        raise PermanentError(f"{action.name} is not for a {wanted.kind[:40]}")
    wanted.require_namespace()
    context.require_may_change(wanted.ref)
    return wanted


def _body(context: ClusterContext, wanted: DescribedParameters, old: KubeObject) -> dict[str, Any]:
    document = read_described(context, wanted) if wanted.commit else without_its_uid(old.raw)
    return made_anew(document, wanted.namespace, context.incident.id)


def _pods_of(context: ClusterContext, job: KubeObject) -> list[KubeObject]:
    """The pods of a Job that has not ended; of one that has they do not matter."""
    if not job.status.get("active"):
        return []
    pods = (KubeObject(raw=raw) for raw in context.cluster.list_raw("Pod", namespace=job.namespace))
    return [pod for pod in pods if pod.owner == job.ref]


def _require_same(context: ClusterContext, live: KubeObject, before: OldJob) -> None:
    if uid_of(live) != before.uid or dig(live.raw, "metadata", "generation") != before.generation:
        raise ConflictError(f"the plan is void: {before.target} was changed or made anew since it was looked at")
    if why := not_recreatable(live, _pods_of(context, live)):
        raise ConflictError(f"the plan is void: {before.target} is not made again: {why}")


def _require_gone(context: ClusterContext, ref: ObjectRef) -> None:
    if context.find(ref) is not None:
        raise TransientError(f"{ref} is still being deleted", retry_after_seconds=2.0)


def _is_ours(context: ClusterContext, live: KubeObject) -> bool:
    return bool(live.annotations.get(MADE_FOR) == context.incident.id)


SPEC = ActionSpec(
    name=Remedy.RECREATE_JOB,
    parameters=DescribedParameters,
    risk=Risk.HIGH,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
    context=ClusterContext,
    rights=(
        Right(group="batch", resource="jobs", verbs=("get", "create", "delete")),
        Right(group="", resource="pods", verbs=("list",)),
    ),
)
