"""What a planned change of a live object makes of it, place by place, so that the same can be done in git."""

import copy
import json
from collections.abc import Callable
from typing import Any

from tasks.domain.cluster import Json, KubeObject, ObjectRef, dig
from tasks.domain.field_change import FieldChange, field_changes
from tasks.domain.plan import Action, Remedy
from tasks.domain.pod_template import Place, put_back
from tasks.errors import NotFoundError
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import template_of

Read = Callable[[ObjectRef], KubeObject]
IN_GIT = frozenset(
    {
        Remedy.PATCH_WORKLOAD,
        Remedy.PATCH_SERVICE,
        Remedy.SIZE_RESOURCES,
        Remedy.SCALE_WORKLOAD,
        Remedy.ROLL_BACK_ROLLOUT,
    }
)
"""The changes that can be told as another manifest; the others delete, restart or make something."""
_LEFT_TO_THE_CLUSTER = ("spec.template.metadata.annotations", "spec.template.metadata.creationTimestamp")
"""Such as the mark of a restart, which no manifest has."""


def wanted_changes(action: Action, live: KubeObject, read: Read) -> tuple[FieldChange, ...]:
    """The changes of the object's specification; `read` gives an earlier revision as the cluster keeps it.

    Raises:
        Unfit: the revision is gone, or nothing changes.
    """
    before: Any = json.loads(json.dumps({"spec": live.spec}))
    after = copy.deepcopy(before)
    if action.name == Remedy.SCALE_WORKLOAD:
        after["spec"]["replicas"] = int(action.parameters["replicas"])
    elif action.name == Remedy.ROLL_BACK_ROLLOUT:
        after["spec"]["template"] = _kept(action, live, read)
    elif action.parameters.get("places"):
        _put_places_back(after, action, live, _kept(action, live, read))
    else:
        for row in json.loads(action.parameters["operations"]):
            _set(after, row["path"], row.get("value"), remove=row.get("op") == "remove")
    found = field_changes(before, after)
    told = tuple(one for one in found if not str(one).startswith(_LEFT_TO_THE_CLUSTER))
    if not told:
        raise Unfit("nothing of its specification changes")
    return told


def _kept(action: Action, live: KubeObject, read: Read) -> Json:
    kind = "ReplicaSet" if live.kind == "Deployment" else "ControllerRevision"
    ref = ObjectRef(kind=kind, namespace=live.namespace, name=action.parameters["revision"])
    try:
        kept = read(ref)
    except NotFoundError as error:
        raise Unfit(f"{ref} is gone") from error
    if kept.kind != "ReplicaSet" or dig(kept.raw, "metadata", "uid") != action.parameters["revision_uid"]:
        raise Unfit(f"{ref} is not the revision that was planned with")
    found: Json = json.loads(json.dumps(template_of(kept)))
    return found


def _put_places_back(after: Any, action: Action, live: KubeObject, template: Json) -> None:
    for raw in json.loads(action.parameters["places"]):
        back = put_back(live.pod_template, template, Place.model_validate(raw))
        if back is None:
            raise Unfit("the earlier revision has another container")
        _set(after, f"/spec/template{back.path}", back.value, remove=back.value is None)


def _set(document: Any, pointer: str, value: Any, *, remove: bool) -> None:
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document.setdefault(step, {})
    if isinstance(document, list):
        document[int(last)] = value
    elif remove:
        document.pop(last, None)
    else:
        document[last] = json.loads(json.dumps(value))
