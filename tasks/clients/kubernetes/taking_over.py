"""Applies a manifest over what Healflow itself changed in the object since, as a heal does, and over nothing else.

A heal patches, a deploy applies, and for the API server these are two owners of a field although both are Healflow:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
"""

from typing import Any

from tasks.clients.kubernetes.cluster import FIELD_MANAGER, Cluster
from tasks.domain.base import Noun
from tasks.domain.cluster import Json, KubeObject, ObjectRef, mapping_of
from tasks.errors import ConflictError, FieldConflictError, TransientError

_TRIES = 10
"""The status of a workload that rolls changes several times a second, and with it the object's version."""


class Applied(Noun):
    """The object as it is now, and the fields of it that were Healflow's own otherwise than by an apply."""

    item: KubeObject
    taken: tuple[str, ...] = ()


def apply_over_own(cluster: Cluster, manifest: Json, *, dry_run: bool = False) -> Applied:
    """Server-side apply of one manifest. A field that anybody else has, too, is never taken: the apply is forced only
    onto the very version of the object of which the API server says that nobody but Healflow has what is in conflict.

    Raises:
        FieldConflictError: another manager owns a field that the manifest sets.
        TransientError: the object changes too often to be sure of that.
    """
    try:
        return Applied(item=cluster.apply(manifest, dry_run=dry_run))
    except FieldConflictError as error:
        _own(error)
    for _ in range(_TRIES):
        exactly = _of_this_version(cluster, manifest)
        try:
            return Applied(item=cluster.apply(exactly, dry_run=dry_run))
        except FieldConflictError as error:
            fields = _own(error)
        except ConflictError:
            continue
        try:
            return Applied(item=cluster.apply(exactly, force=True, dry_run=dry_run), taken=fields)
        except ConflictError:
            continue
    named = f"{manifest.get('kind')}/{mapping_of(manifest.get('metadata')).get('name')}"
    raise TransientError(f"{named} changes while it is applied", retry_after_seconds=2.0)


def _own(error: FieldConflictError) -> tuple[str, ...]:
    """The fields in conflict, where all of them are ours alone; else the error is raised again."""
    if set(error.fields) != {FIELD_MANAGER}:
        raise error
    return error.fields[FIELD_MANAGER]


def _of_this_version(cluster: Cluster, manifest: Json) -> dict[str, Any]:
    """The manifest, valid for nothing but the object as it is now."""
    metadata = mapping_of(manifest.get("metadata"))
    ref = ObjectRef(
        kind=str(manifest.get("kind")),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name")),
    )
    live = cluster.read(ref, api_version=str(manifest.get("apiVersion")))
    version = mapping_of(live.raw.get("metadata")).get("resourceVersion")
    return {**manifest, "metadata": {**metadata, "resourceVersion": version}}
