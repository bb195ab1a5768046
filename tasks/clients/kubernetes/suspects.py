"""Whose logs are worth reading: containers that fail, wait or were restarted; of a namespace also one of each workload.

Bounded in number, because a cluster in trouble has thousands of them that all say the same.
"""

from collections.abc import Iterable, Iterator

from tasks.domain.base import Noun
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of

MAX_LOGS = 120
MAX_PODS_OF_A_WORKLOAD = 2
MAX_QUIET_LOGS = 30


class LogRequest(Noun):
    """One log to read."""

    namespace: str
    pod: str
    container: str
    previous: bool = False

    @property
    def source(self) -> str:
        """What it is called where it could not be read."""
        return f"log:{self.namespace}/{self.pod}/{self.container}" + ("@previous" if self.previous else "")


def suspects_of(snapshot: ClusterSnapshot, *, quiet: bool) -> tuple[LogRequest, ...]:
    """The logs to read, those of the worst first; with `quiet` also of workloads in which nothing seems wrong: a
    program that is refused its rights may go on running.
    """
    pods = [pod for pod in snapshot.of_kind("Pod") if not dig(pod.raw, "metadata", "deletionTimestamp")]
    troubled = [pod for pod in pods if _in_trouble(pod)]
    troubled.sort(key=lambda pod: (pod.status.get("phase") == "Succeeded", -_restarts(pod)))
    found = list(_requests(snapshot, troubled, each=MAX_PODS_OF_A_WORKLOAD))[:MAX_LOGS]
    if quiet:
        calm = [pod for pod in pods if pod.status.get("phase") == "Running" and not _in_trouble(pod)]
        found += list(_requests(snapshot, calm, each=1))[:MAX_QUIET_LOGS]
    return tuple(found)


def _requests(snapshot: ClusterSnapshot, pods: Iterable[KubeObject], *, each: int) -> Iterator[LogRequest]:
    seen: dict[ObjectRef, int] = {}
    for pod in pods:
        workload = snapshot.workload_of(pod)
        seen[workload] = seen.get(workload, 0) + 1
        if seen[workload] <= each:
            yield from _logs_of(pod)


def _logs_of(pod: KubeObject) -> Iterator[LogRequest]:
    for row, init in _rows(pod):
        state, last = mapping_of(row.get("state")), mapping_of(row.get("lastState"))
        has_ended = bool(state.get("terminated"))
        if (init and not (_has_failed(row) or state.get("running"))) or not row.get("name"):
            continue
        request = LogRequest(namespace=pod.namespace, pod=pod.name, container=str(row["name"]))
        if last.get("terminated"):
            yield request.model_copy(update={"previous": True})
        if has_ended or state.get("running"):
            yield request


def _in_trouble(pod: KubeObject) -> bool:
    if pod.status.get("phase") in ("Failed", "Unknown"):
        return True
    if pod.status.get("phase") == "Succeeded":
        return False
    return any(
        row.get("restartCount") or (not init and not row.get("ready")) or (init and _has_failed(row))
        for row, init in _rows(pod)
    )


def _has_failed(row: Json) -> bool:
    states = (mapping_of(row.get("state")), mapping_of(row.get("lastState")))
    return any(dig(state, "terminated", "exitCode") for state in states)


def _rows(pod: KubeObject) -> Iterator[tuple[Json, bool]]:
    for field, init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for row in mappings_of(pod.status.get(field)):
            yield row, init


def _restarts(pod: KubeObject) -> int:
    return sum(int(row.get("restartCount") or 0) for row, _ in _rows(pod))
