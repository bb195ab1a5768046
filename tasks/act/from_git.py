"""What the actions have in common that make an object as a manifest in git describes it."""

from typing import Any

from pydantic import Field

from tasks.act.cluster_change import TargetParameters
from tasks.act.context import ClusterContext
from tasks.domain.cluster import Json, Manifest, ObjectRef, mapping_of
from tasks.domain.cluster_state import MADE_FOR
from tasks.errors import ConflictError, NotFoundError, PermanentError

_BY_THE_SERVER = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "managedFields", "selfLink", "ownerReferences",
)  # fmt: skip
"""Metadata that an object gets when it is made; owners are named by uid, and one that is gone takes it along."""


class DescribedParameters(TargetParameters):
    """The object, and where git describes it; `commit` and `path` are empty where git does not matter."""

    commit: str = Field(default="", pattern=r"^([0-9a-f]{40,64})?$")
    path: str = ""
    manifest_namespace: str = ""
    """As the manifest has it: empty where it names none."""

    def require_namespace(self) -> None:
        """Raises:
        PermanentError: the manifest is for another namespace.
        """
        if self.manifest_namespace not in ("", self.namespace):
            raise PermanentError(f"{self.path} is for the namespace {self.manifest_namespace}, not {self.namespace}")


def read_described(context: ClusterContext, wanted: DescribedParameters) -> Json:
    """What git says, as it did when the plan was made.

    Raises:
        ConflictError: it says something else by now.
    """
    ref = ObjectRef(kind=wanted.kind, namespace=wanted.manifest_namespace, name=wanted.name)
    try:
        return context.open_manifests().read(Manifest(ref=ref, commit=wanted.commit, path=wanted.path))
    except NotFoundError as error:
        raise ConflictError(f"the plan is void: {error}") from error


def made_anew(document: Json, namespace: str, incident_id: str) -> dict[str, Any]:
    """The object to be made: without what the API server sets, and with the mark of who made it."""
    metadata = {key: value for key, value in mapping_of(document.get("metadata")).items() if key not in _BY_THE_SERVER}
    annotations = {**mapping_of(metadata.get("annotations")), MADE_FOR: incident_id}
    metadata = {**metadata, "namespace": namespace, "annotations": annotations}
    return {key: value for key, value in document.items() if key != "status"} | {"metadata": metadata}
