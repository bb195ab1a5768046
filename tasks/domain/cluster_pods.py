"""Which pods may be deleted to be made anew; pure."""

from tasks.domain.cluster import KubeObject, dig, mappings_of

_MAKERS = ("ReplicaSet", "StatefulSet", "DaemonSet")
"""What makes a new pod in the place of one that is gone, without counting it as a failure."""

_BEFORE_START = ("ContainerCreating", "PodInitializing")
"""What a container waits for while its pod has no sandbox; one that waits for its image has."""


def undeletable(pod: KubeObject) -> str:
    """Why a pod must not be deleted to have it made anew, empty when it may."""
    owner = pod.owner
    if owner is None or not any(
        row.get("controller") for row in mappings_of(dig(pod.raw, "metadata", "ownerReferences"))
    ):
        return "nothing would make a new one"
    if owner.kind not in _MAKERS:
        return f"a {owner.kind} counts the pods that end"
    if dig(pod.raw, "metadata", "deletionTimestamp"):
        return "it is being deleted already"
    if pod.status.get("phase") == "Failed":
        return ""
    if owner.kind == "StatefulSet" and any(
        row.get("persistentVolumeClaim") for row in mappings_of(pod.spec.get("volumes"))
    ):
        return "it is of a StatefulSet and holds a volume"
    return "" if is_stuck(pod) else "it is neither stuck before its start nor evicted"


def is_stuck(pod: KubeObject) -> bool:
    """Whether a node took the pod and none of its containers ever started."""
    rows = [
        row for field in ("initContainerStatuses", "containerStatuses") for row in mappings_of(pod.status.get(field))
    ]
    waits = all(dig(row, "state", "waiting", "reason") in _BEFORE_START and not row.get("restartCount") for row in rows)
    return pod.status.get("phase") == "Pending" and bool(pod.spec.get("nodeName")) and waits
