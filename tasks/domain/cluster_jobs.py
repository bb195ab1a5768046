"""Which Jobs may be deleted and made again, and what of a Job belongs to that one alone."""

from collections.abc import Sequence
from typing import Any

from tasks.domain.cluster import Json, KubeObject, dig, mapping_of, mappings_of

_NO_IMAGE = frozenset(
    ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"]
)
"""Why a container waits that has no image:
https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go"""
_OF_ONE_JOB = (
    "controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name",
)  # fmt: skip
"""Labels that the Job controller puts on the pods of one Job:
https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-selector"""


def not_recreatable(job: KubeObject, pods: Sequence[KubeObject] = ()) -> str:
    """Why a Job is not deleted and made again; empty when it may be: it has ended, or all its `pods` wait for an image
    and none of their containers ever ran."""
    if job.owner is not None:
        return f"{job.owner} makes it"
    if job.raw.get("metadata", {}).get("deletionTimestamp"):
        return "it is being deleted already"
    if job.status.get("terminating") or (job.status.get("active") and not is_stuck_on_its_image(job, pods)):
        return "its pods are running"
    if job.status.get("active"):
        return ""
    ended = any(job.condition(kind).get("status") == "True" for kind in ("Complete", "Failed"))
    return "" if ended or job.spec.get("suspend") is True else "it has not ended"


def is_stuck_on_its_image(job: KubeObject, pods: Sequence[KubeObject]) -> bool:
    """Whether all that a Job has to show are pods that cannot get their image; `pods` are those of the Job."""
    live = [pod for pod in pods if pod.status.get("phase") not in ("Failed", "Succeeded")]
    began = job.status.get("ready") or job.status.get("succeeded") or len(live) != job.status.get("active")
    return bool(live) and not began and all(map(_waits_for_its_image, live))


def _waits_for_its_image(pod: KubeObject) -> bool:
    rows = [row for kind in ("initContainerStatuses", "containerStatuses") for row in mappings_of(pod.status.get(kind))]
    never_ran = not any(row.get("restartCount") or row.get("lastState") for row in rows)
    waiting = [str(dig(row, "state", "waiting", "reason") or "") for row in rows]
    return never_ran and bool(waiting) and all(waiting) and any(reason in _NO_IMAGE for reason in waiting)


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
