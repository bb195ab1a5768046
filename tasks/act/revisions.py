"""Reads an earlier revision of a workload, which the cluster itself keeps: a recorded one has its secrets masked."""

from tasks.act.context import ClusterContext
from tasks.domain.cluster import Json, KubeObject, ObjectRef, dig, mapping_of
from tasks.errors import ConflictError, NotFoundError, PermanentError

_HASH = "pod-template-hash"


def kept_template(context: ClusterContext, live: KubeObject, revision: str, uid: str) -> Json:
    """The pod template of a revision (a ReplicaSet, or a ControllerRevision) without what the controllers put in.

    Raises:
        ConflictError: the revision is gone.
        PermanentError: it is no revision of this workload.
    """
    kind = "ReplicaSet" if live.kind == "Deployment" else "ControllerRevision"
    ref = ObjectRef(kind=kind, namespace=live.namespace, name=revision)
    try:
        kept = context.cluster.read(ref)
    except NotFoundError as error:
        raise ConflictError(f"the plan is void: {ref} is gone") from error
    if kept.owner != live.ref or dig(kept.raw, "metadata", "uid") != uid:
        raise PermanentError(f"{ref} is not a revision of {live.ref}")
    return _template(kept)


def _template(kept: KubeObject) -> Json:
    if kept.kind == "ControllerRevision":
        stored = mapping_of(dig(kept.raw, "data", "spec", "template"))
        found = {key: value for key, value in stored.items() if key != "$patch"}
    else:
        found = dict(kept.pod_template)
    metadata = dict(mapping_of(found.get("metadata")))
    metadata["labels"] = {k: v for k, v in mapping_of(metadata.get("labels")).items() if k != _HASH}
    return {**found, "metadata": metadata}
