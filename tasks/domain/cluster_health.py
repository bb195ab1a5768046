"""ObjectHealth: whether an object of a cluster does what it is for, as its own status tells; pure, from one reading."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, dig, mapping_of, mappings_of, selects
from tasks.domain.listening import port_gaps

WATCHED_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service", "PersistentVolumeClaim")
"""What is looked at when the question is whether anything in a namespace got worse."""
READ_BY_OTHERS = ("ConfigMap", "Secret")
"""What is well or not only through those who read it: one that is missing is no failure once nobody asks for it, and
whoever watches may not read what a Secret holds."""
_SERVICE_LABEL = "kubernetes.io/service-name"


class ObjectHealth(Noun):
    """How one object is."""

    ref: ObjectRef
    healthy: bool
    detail: str
    """In the operator's words: what it lacks, or what it has."""
    restarts: int = 0
    """Of all containers of its pods; a growing number is no health."""


def health_of(snapshot: ClusterSnapshot, ref: ObjectRef) -> ObjectHealth:
    """How an object is. A pod that is gone is healthy: what stands behind it is watched beside it."""
    item = snapshot.find(ref.kind, ref.namespace, ref.name)
    if item is None:
        gone_is_well = ref.kind in ("Pod", "ReplicaSet")
        return ObjectHealth(ref=ref, healthy=gone_is_well, detail="it is gone" if gone_is_well else "it does not exist")
    problem = _PROBLEMS.get(ref.kind, _no_problem)(snapshot, item)
    pods = [item] if ref.kind == "Pod" else snapshot.pods_of(ref)
    restarts = sum(
        count
        for pod in pods
        for field in ("initContainerStatuses", "containerStatuses")
        for row in mappings_of(pod.status.get(field))
        if isinstance(count := row.get("restartCount"), int)
    )
    return ObjectHealth(ref=ref, healthy=not problem, detail=problem or "healthy", restarts=restarts)


def shows_health(kind: str) -> bool:
    """Whether objects of a kind say by themselves whether they do what they are for."""
    return kind in _PROBLEMS


def namespace_health(snapshot: ClusterSnapshot, namespace: str) -> tuple[ObjectHealth, ...]:
    """How everything in a namespace is that stands for itself."""
    found = [item for kind in WATCHED_KINDS for item in snapshot.of_kind(kind, namespace) if item.owner is None]
    return tuple(health_of(snapshot, item.ref) for item in found)


def _number(item: KubeObject, *path: str, default: int = 0) -> int:
    value = dig(item.raw, *path)
    return value if isinstance(value, int) else default


def _unobserved(item: KubeObject) -> str:
    generation = _number(item, "metadata", "generation")
    return "its last change is not yet observed" if _number(item, "status", "observedGeneration") < generation else ""


def _replicated(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    wanted = _number(item, "spec", "replicas", default=1)
    updated, ready = _number(item, "status", "updatedReplicas"), _number(item, "status", "readyReplicas")
    if problem := _unobserved(item):
        return problem
    if updated < wanted:
        return f"{updated} of {wanted} pods are of the newest revision"
    if ready < wanted:
        return f"{ready} of {wanted} pods are ready"
    left = _number(item, "status", "replicas") - wanted
    return f"{left} pods of an older revision are left" if left > 0 else ""


def _daemon_set(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    wanted = _number(item, "status", "desiredNumberScheduled")
    ready, updated = _number(item, "status", "numberReady"), _number(item, "status", "updatedNumberScheduled")
    if problem := _unobserved(item):
        return problem
    return "" if min(ready, updated) >= wanted else f"{min(ready, updated)} of {wanted} pods are ready and up to date"


def _pod(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    phase = item.status.get("phase")
    if phase == "Succeeded" or item.condition("Ready").get("status") == "True":
        return ""
    return f"it is {str(phase or 'Pending').lower()} and not ready"


def _job(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    if item.condition("Complete").get("status") == "True":
        return ""
    failed = item.condition("Failed")
    return f"it failed ({failed.get('reason')})" if failed.get("status") == "True" else "it has not completed"


def _cron_job(snapshot: ClusterSnapshot, item: KubeObject) -> str:
    if item.spec.get("suspend") is True:
        return ""
    jobs = snapshot.children_of(item.ref)
    newest = max(jobs, key=lambda job: str(dig(job.raw, "metadata", "creationTimestamp")), default=None)
    failed = newest is not None and newest.condition("Failed").get("status") == "True"
    return f"its last job {newest.name} failed" if failed and newest is not None else ""


def _service(snapshot: ClusterSnapshot, item: KubeObject) -> str:
    if not mapping_of(item.spec.get("selector")):
        return ""
    slices = (
        one for one in snapshot.of_kind("EndpointSlice", item.namespace) if one.labels.get(_SERVICE_LABEL) == item.name
    )
    ready = sum(
        dig(endpoint, "conditions", "ready") is not False
        for one in slices
        if one.raw.get("ports") or not item.spec.get("ports")  # a named port that no pod has leads nowhere
        for endpoint in mappings_of(one.raw.get("endpoints"))
    )
    if not ready:
        return "no ready pod stands behind it, or none has its port"
    gap = next(port_gaps(item, _selected(snapshot, item)), None)
    return f"it sends to port {gap.wanted}, on which none of its pods says that it listens" if gap else ""


def _selected(snapshot: ClusterSnapshot, service: KubeObject) -> list[KubeObject]:
    selector = mapping_of(service.spec.get("selector"))
    return [pod for pod in snapshot.of_kind("Pod", service.namespace) if selects(selector, pod.labels)]


def _claim(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    return "" if item.status.get("phase") == "Bound" else "it is not bound"


def _autoscaler(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    active = item.condition("ScalingActive")
    return f"it cannot scale ({active.get('reason')})" if active.get("status") == "False" else ""


def _node(_snapshot: ClusterSnapshot, item: KubeObject) -> str:
    if item.condition("Ready").get("status") != "True":
        return "it is not ready"
    return "it takes no pods" if item.spec.get("unschedulable") is True else ""


def _no_problem(_snapshot: ClusterSnapshot, _item: KubeObject) -> str:
    return ""


_PROBLEMS: Mapping[str, Callable[[ClusterSnapshot, KubeObject], str]] = MappingProxyType(
    {
        "Deployment": _replicated,
        "StatefulSet": _replicated,
        "DaemonSet": _daemon_set,
        "Pod": _pod,
        "Job": _job,
        "CronJob": _cron_job,
        "Service": _service,
        "PersistentVolumeClaim": _claim,
        "HorizontalPodAutoscaler": _autoscaler,
        "Node": _node,
    }
)
