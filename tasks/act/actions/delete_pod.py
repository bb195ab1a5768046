"""Deletes a pod that is stuck or was evicted, so that its controller makes a new one; exactly the pod that was seen."""

from tasks.act.cluster_change import TargetParameters
from tasks.act.context import ClusterContext, read_image
from tasks.act.spec import ActionSpec, Right
from tasks.domain.base import Noun
from tasks.domain.cluster import ObjectRef, dig
from tasks.domain.cluster_pods import undeletable
from tasks.domain.cluster_state import state_digest
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, NotFoundError, PermanentError


class DeletedPod(Noun):
    """The pod, and what makes a new one in its place."""

    target: ObjectRef
    uid: str
    owner: ObjectRef


def _preflight(context: ClusterContext, action: Action) -> str:
    wanted = TargetParameters.model_validate(dict(action.parameters))
    if wanted.kind != "Pod":
        raise PermanentError(f"{action.name} is not for a {wanted.kind[:40]}")
    context.require_may_change(wanted.ref)
    try:
        live = context.cluster.read(wanted.ref)
    except NotFoundError as error:
        raise ConflictError(f"the plan is void: {wanted.ref} is gone") from error
    if state_digest(live) != wanted.state:
        raise ConflictError(f"the plan is void: {wanted.ref} is another pod than when it was made")
    if (why := undeletable(live)) or live.owner is None:
        raise PermanentError(f"{wanted.ref} is not deleted: {why}")
    uid = str(dig(live.raw, "metadata", "uid"))
    context.cluster.delete(wanted.ref, uid=uid, dry_run=True)
    return DeletedPod(target=wanted.ref, uid=uid, owner=live.owner).model_dump_json()


def _apply(context: ClusterContext, action: Action, pre_image: str) -> ActionResult:
    image = read_image(DeletedPod, pre_image)
    context.require_may_change(image.target)
    status = ActionStatus.APPLIED
    live = context.find(image.target)
    if live is None or str(dig(live.raw, "metadata", "uid")) != image.uid:
        status = ActionStatus.ALREADY_APPLIED
    elif why := undeletable(live):
        raise ConflictError(f"the plan is void: {image.target} is not deleted: {why}")
    else:
        context.cluster.delete(image.target, uid=image.uid)
    return ActionResult(
        action_name=action.name,
        status=status,
        message=f"{image.target} was deleted; {image.owner} makes a new one",
        pre_image=pre_image,
        post_image=pre_image,
    )


def _undo(_context: ClusterContext, result: ActionResult) -> ActionResult:
    owner = read_image(DeletedPod, result.pre_image).owner
    told = f"nothing is to be restored: {owner} made a new pod in its place"
    return result.model_copy(update={"status": ActionStatus.UNDONE, "message": told})


def _verify_undone(context: ClusterContext, result: ActionResult) -> bool:
    """Whether what made the pod has as many pods as it should."""
    owner = context.find(read_image(DeletedPod, result.pre_image).owner)
    if owner is None:
        return False
    if owner.kind == "DaemonSet":
        wanted, there = owner.status.get("desiredNumberScheduled"), owner.status.get("currentNumberScheduled")
    else:
        wanted, there = owner.spec.get("replicas", 1), owner.status.get("replicas")
    return int(there or 0) >= int(wanted or 0)


SPEC = ActionSpec(
    name=Remedy.DELETE_POD,
    parameters=TargetParameters,
    risk=Risk.MEDIUM,
    preflight=_preflight,
    apply=_apply,
    undo=_undo,
    verify_undone=_verify_undone,
    context=ClusterContext,
    rights=(
        Right(group="", resource="pods", verbs=("get", "delete")),
        Right(group="apps", resource="replicasets", verbs=("get",)),
        Right(group="apps", resource="statefulsets", verbs=("get",)),
        Right(group="apps", resource="daemonsets", verbs=("get",)),
    ),
)
