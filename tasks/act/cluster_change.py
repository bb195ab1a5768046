"""Changes one object of a cluster by a guarded JSON patch, and takes the change back.

Every value that is changed is tested to be the one that was seen, by the API server itself and in the same request.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field
from pydantic import Json as JsonText

from tasks.act.context import ClusterContext, read_image, require_not_from_git
from tasks.act.spec import ActionSpec, Right
from tasks.act.telling import tell_changes
from tasks.clients.kubernetes.kinds import KINDS
from tasks.domain.base import Noun
from tasks.domain.cluster import Json, KubeObject, ObjectRef, dig
from tasks.domain.cluster_state import state_digest
from tasks.domain.outcome import ActionResult, ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import ConflictError, NotFoundError, PermanentError

ROLLING_KINDS = ("Deployment", "StatefulSet", "DaemonSet")


class TargetParameters(Noun):
    """The object, and its state as the plan saw it."""

    kind: str
    namespace: str = ""
    name: str = Field(min_length=1)
    state: str = Field(min_length=64, max_length=64)
    """`tasks.domain.cluster_state.state_digest` of the object."""

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        return ObjectRef(kind=self.kind, namespace=self.namespace, name=self.name)


class Operation(Noun):
    """What one place of an object becomes."""

    op: Literal["set", "remove"] = "set"
    path: str = Field(pattern=r"^(/[^/]+)+$")
    value: Any = None


class PatchObjectParameters(TargetParameters):
    """The object, and as JSON what becomes of which places of it."""

    operations: JsonText[tuple[Operation, ...]] = Field(min_length=1)


class ChangeImage(Noun):
    """A change that can be made and taken back: two JSON patches for one object."""

    target: ObjectRef
    uid: str
    generation: int | None = None
    """The number of its specification when the change was prepared; `None` for kinds that are not numbered."""
    forward: tuple[Mapping[str, Any], ...]
    backward: tuple[Mapping[str, Any], ...]
    told: str = ""
    """What it changes, from what to what, in the operator's words."""


Derive = Callable[[ClusterContext, Any, KubeObject], Sequence[Operation]]
MISSING = object()


@dataclass(frozen=True)
class ChangeEngine:
    """One kind of change: on which kinds of object, and what it comes to."""

    parameters: type[TargetParameters]
    kinds: tuple[str, ...]
    derive: Derive
    """The operations for the object as it is; raises PermanentError for what the action is not for."""
    allow: Callable[[ClusterContext, ObjectRef], None] = ClusterContext.require_may_change
    done: str = "was changed"
    """What is then to be said of the object; with the places that changed, where those are more than a mark."""

    def preflight(self, context: ClusterContext, action: Action) -> str:
        """Check the target and that the API server would take the change; the pre-image holds the old values.

        Raises:
            ConflictError: the object is not in the state that the plan was made on.
            PermanentError: the change is not one that this action is for.
        """
        wanted = self.parameters.model_validate(dict(action.parameters))
        if wanted.kind not in self.kinds:
            raise PermanentError(f"{action.name} is not for a {wanted.kind[:40]}")
        self.allow(context, wanted.ref)
        live = _read(context, wanted.ref)
        require_not_from_git(live)
        operations = self.derive(context, wanted, live)
        image = _image(live, operations)
        if _holds(live.raw, image.forward):
            return image.model_dump_json()
        if state_digest(live) != wanted.state:
            raise ConflictError(f"the plan is void: {wanted.ref} was changed since it was made")
        then = context.cluster.patch(wanted.ref, _guarded(live, image.forward), dry_run=True)
        return image.model_copy(update={"told": tell_changes(live, then)}).model_dump_json()

    def apply(self, context: ClusterContext, action: Action, pre_image: str) -> ActionResult:
        """Make the change; made before, it is not made twice.

        Raises:
            ConflictError: the object moved after the preflight.
        """
        image = read_image(ChangeImage, pre_image)
        self.allow(context, image.target)
        live = _read(context, image.target)
        _require_same(live, image)
        already = _holds(live.raw, image.forward)
        if not already:
            if _generation(live) != image.generation:
                raise ConflictError(f"the plan is void: {image.target} was changed since it was looked at")
            context.cluster.patch(image.target, _guarded(live, image.forward))
        return ActionResult(
            action_name=action.name,
            status=ActionStatus.ALREADY_APPLIED if already else ActionStatus.APPLIED,
            message=f"{image.target} {self.done}" + (f" ({image.told})" if image.told else ""),
            pre_image=pre_image,
            post_image=pre_image,
        )

    def undo(self, context: ClusterContext, result: ActionResult) -> ActionResult:
        """Give the object its old values again.

        Raises:
            ConflictError: somebody changed the same places since.
        """
        image = read_image(ChangeImage, result.pre_image)
        self.allow(context, image.target)
        live = _read(context, image.target)
        _require_same(live, image)
        if not _holds(live.raw, image.backward):
            if not _holds(live.raw, image.forward):
                raise ConflictError(f"{image.target} was changed by somebody else since; it is left as it is")
            context.cluster.patch(image.target, _guarded(live, image.backward))
        return result.model_copy(
            update={"status": ActionStatus.UNDONE, "message": f"{image.target} has its earlier values again"}
        )

    def verify_undone(self, context: ClusterContext, result: ActionResult) -> bool:
        """Whether the object, read again, has its old values."""
        image = read_image(ChangeImage, result.pre_image)
        live = _read(context, image.target)
        return uid_of(live) == image.uid and _holds(live.raw, image.backward)


def change_spec(
    name: Remedy, risk: Risk, engine: ChangeEngine, *, also: tuple[Right, ...] = (), only: ObjectRef | None = None
) -> ActionSpec[ClusterContext]:
    """The registry's row of an action that patches objects; it may read and patch its kinds, and `also`. `only` is the
    one object that it is for, where there is but one."""
    place = {"namespace": only.namespace, "names": (only.name,)} if only is not None else {}
    rights = tuple(
        Right(group=KINDS[kind].group, resource=KINDS[kind].plural, verbs=("get", "patch"), **place)
        for kind in engine.kinds
    )
    return ActionSpec(
        name=name,
        parameters=engine.parameters,
        risk=risk,
        preflight=engine.preflight,
        apply=engine.apply,
        undo=engine.undo,
        verify_undone=engine.verify_undone,
        context=ClusterContext,
        rights=(*rights, *also),
    )


def only_paths(pattern: str) -> Derive:
    """Take the operations from the parameters, as long as every path matches the whole pattern."""
    allowed = re.compile(pattern)

    def derive(_context: ClusterContext, wanted: PatchObjectParameters, _live: KubeObject) -> Sequence[Operation]:
        for operation in wanted.operations:
            if not allowed.fullmatch(operation.path):
                raise PermanentError(f"this action does not change {operation.path[:120]!r}")
        return wanted.operations

    return derive


def value_at(document: Any, path: str) -> Any:
    """What stands at a JSON pointer, `MISSING` when nothing does."""
    for step in path.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, Mapping):
            document = document.get(key, MISSING)
        elif isinstance(document, list | tuple) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return MISSING
    return document


def pointer_step(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _image(live: KubeObject, operations: Sequence[Operation]) -> ChangeImage:
    guard: Json = {"op": "test", "path": "/metadata/uid", "value": uid_of(live)}
    forward: list[Json] = [guard]
    backward: list[Json] = []
    for operation in operations:
        there, back = _both_ways(live.raw, operation)
        forward += there
        backward = [*back, *backward]
    return ChangeImage(
        target=live.ref,
        uid=uid_of(live),
        generation=_generation(live),
        forward=tuple(forward),
        backward=(guard, *backward),
    )


def _generation(item: KubeObject) -> int | None:
    found = dig(item.raw, "metadata", "generation")
    return found if isinstance(found, int) else None


def _guarded(live: KubeObject, patch: Sequence[Json]) -> list[Json]:
    """The patch, valid only for exactly this generation, where the kind has one.

    Then whole mappings need no test of their own, and must have none: the API server compares them with its own
    encoding, in which a pod template has fields (`creationTimestamp: null`) that it never tells.
    """
    generation = _generation(live)
    if generation is None:
        return list(patch)
    kept = [row for row in patch if row["op"] != "test" or not isinstance(row["value"], Mapping)]
    return [{"op": "test", "path": "/metadata/generation", "value": generation}, *kept]


def _both_ways(raw: Json, operation: Operation) -> tuple[list[Json], list[Json]]:
    path, value = operation.path, operation.value
    while operation.op == "set" and value_at(raw, path.rpartition("/")[0]) is MISSING:
        path, _, step = path.rpartition("/")
        value = {step.replace("~1", "/").replace("~0", "~"): value}
    old = value_at(raw, path)
    if isinstance(value_at(raw, path.rpartition("/")[0]), list) and old is MISSING:
        raise PermanentError(f"there is nothing at {path[:120]!r}")
    if operation.op == "remove":
        return (
            [{"op": "test", "path": path, "value": old}, {"op": "remove", "path": path}],
            [{"op": "add", "path": path, "value": old}],
        )
    new: Json = {"op": "test", "path": path, "value": value}
    if old is MISSING:
        return [{"op": "add", "path": path, "value": value}], [new, {"op": "remove", "path": path}]
    return (
        [{"op": "test", "path": path, "value": old}, {"op": "replace", "path": path, "value": value}],
        [new, {"op": "replace", "path": path, "value": old}],
    )


def _holds(raw: Json, patch: Sequence[Json]) -> bool:
    """Whether the object is as the patch would leave it."""
    for row in patch:
        there = value_at(raw, str(row["path"]))
        if row["op"] == "remove" and there is not MISSING:
            return False
        if row["op"] in ("add", "replace") and there != row["value"]:
            return False
    return True


def _read(context: ClusterContext, ref: ObjectRef) -> KubeObject:
    try:
        return context.cluster.read(ref)
    except NotFoundError as error:
        raise ConflictError(f"the plan is void: {ref} is gone") from error


def _require_same(live: KubeObject, image: ChangeImage) -> None:
    if uid_of(live) != image.uid:
        raise ConflictError(f"{image.target} was deleted and made anew since the plan was made")


def uid_of(item: KubeObject) -> str:
    """What tells an object from one of the same name that was made later; empty where it has none yet."""
    return str(dig(item.raw, "metadata", "uid") or "")
