"""Gives a workload the pod template of an earlier revision again, which the cluster itself still keeps."""

from collections.abc import Sequence

from pydantic import Field

from tasks.act.cluster_change import ROLLING_KINDS, ChangeEngine, Operation, TargetParameters, change_spec
from tasks.act.context import ClusterContext
from tasks.act.spec import Right
from tasks.domain.cluster import Json, KubeObject, ObjectRef, dig, mapping_of
from tasks.domain.plan import Remedy, Risk
from tasks.errors import ConflictError, NotFoundError, PermanentError

_HASH = "pod-template-hash"


class RollBackParameters(TargetParameters):
    """The earlier revision: a ReplicaSet of a Deployment, a ControllerRevision of the others.

    Its template is read when the change is made: a recorded one has its secrets masked.
    """

    revision: str = Field(min_length=1)
    revision_uid: str = Field(min_length=1)


def _derive(context: ClusterContext, wanted: RollBackParameters, live: KubeObject) -> Sequence[Operation]:
    kind = "ReplicaSet" if wanted.kind == "Deployment" else "ControllerRevision"
    ref = ObjectRef(kind=kind, namespace=wanted.namespace, name=wanted.revision)
    try:
        kept = context.cluster.read(ref)
    except NotFoundError as error:
        raise ConflictError(f"the plan is void: {ref} is gone") from error
    if kept.owner != live.ref or dig(kept.raw, "metadata", "uid") != wanted.revision_uid:
        raise PermanentError(f"{ref} is not a revision of {live.ref}")
    return (Operation(path="/spec/template", value=_template(kept)),)


def _template(kept: KubeObject) -> Json:
    """The template without what the controllers put in."""
    if kept.kind == "ControllerRevision":
        found = {
            key: value
            for key, value in mapping_of(dig(kept.raw, "data", "spec", "template")).items()
            if key != "$patch"
        }
    else:
        found = dict(kept.pod_template)
    metadata = dict(mapping_of(found.get("metadata")))
    metadata["labels"] = {k: v for k, v in mapping_of(metadata.get("labels")).items() if k != _HASH}
    return {**found, "metadata": metadata}


SPEC = change_spec(
    Remedy.ROLL_BACK_ROLLOUT,
    Risk.MEDIUM,
    ChangeEngine(parameters=RollBackParameters, kinds=ROLLING_KINDS, derive=_derive),
    also=(
        Right(group="apps", resource="replicasets", verbs=("get",)),
        Right(group="apps", resource="controllerrevisions", verbs=("get",)),
    ),
)
