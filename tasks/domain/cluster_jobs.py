"""Which Jobs may be deleted and made again, and what of a Job belongs to that one alone."""

from typing import Any

from tasks.domain.cluster import Json, KubeObject, mapping_of

_OF_ONE_JOB = (
    "controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name",
)  # fmt: skip
"""Labels that the Job controller puts on the pods of one Job:
https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-selector"""


def not_recreatable(job: KubeObject) -> str:
    """Why a Job is not deleted and made again; empty when it may be."""
    if job.owner is not None:
        return f"{job.owner} makes it"
    if job.raw.get("metadata", {}).get("deletionTimestamp"):
        return "it is being deleted already"
    if job.status.get("active") or job.status.get("terminating"):
        return "its pods are running"
    ended = any(job.condition(kind).get("status") == "True" for kind in ("Complete", "Failed"))
    return "" if ended or job.spec.get("suspend") is True else "it has not ended"


def without_its_uid(raw: Json) -> dict[str, Any]:
    """The Job without the selector and labels that only fit this one; a selector of its user's own stays."""
    spec = dict(mapping_of(raw.get("spec")))
    if spec.get("manualSelector") is not True:
        spec.pop("selector", None)
        template = dict(mapping_of(spec.get("template")))
        metadata = dict(mapping_of(template.get("metadata")))
        labels = {key: value for key, value in mapping_of(metadata.get("labels")).items() if key not in _OF_ONE_JOB}
        metadata = {key: value for key, value in metadata.items() if key not in ("labels", "creationTimestamp")}
        spec["template"] = {**template, "metadata": {**metadata, **({"labels": labels} if labels else {})}}
    kept = {key: value for key, value in mapping_of(raw.get("metadata")).items() if key != "labels"}
    labels = {
        key: value
        for key, value in mapping_of(mapping_of(raw.get("metadata")).get("labels")).items()
        if key not in _OF_ONE_JOB
    }
    return {**raw, "metadata": {**kept, **({"labels": labels} if labels else {})}, "spec": spec}
