"""What all analyzers of a cluster read in the same way: the state of containers and pods, and how a line is quoted."""

import re
from collections.abc import Iterator
from datetime import datetime

from tasks.domain.base import Noun
from tasks.domain.cluster import (
    ClusterEvent,
    ClusterSnapshot,
    Json,
    KubeObject,
    ObjectRef,
    dig,
    mapping_of,
    mappings_of,
)
from tasks.domain.cluster_cause import Quote

MAX_QUOTES = 4
STARTING_SECONDS = 20
"""What is this young and not ready yet, and of which no probe has complained, is starting."""


class ContainerState(Noun):
    """One container of a pod, as its status tells."""

    name: str
    init: bool
    ready: bool
    running: bool
    restarts: int
    waiting_reason: str
    waiting_message: str
    ended: bool
    """Whether it ended, now or the last time before it was started again."""
    end_reason: str
    end_message: str
    exit_code: int | None
    running_since: str = ""
    """RFC 3339; empty while it does not run."""
    ran_seconds: float | None = None
    """How long it had run when it ended; `None` where the status does not tell."""

    @property
    def said(self) -> str:
        """What the status says, as one line."""
        parts = [f"container {self.name}" if self.name else "container"]
        if self.waiting_reason:
            parts.append(
                f"waiting: {self.waiting_reason}" + (f" ({self.waiting_message})" if self.waiting_message else "")
            )
        if self.ended:
            code = "" if self.exit_code is None else f" (exit code {self.exit_code})"
            parts.append(
                f"ended: {self.end_reason or 'Error'}{code}" + (f": {self.end_message}" if self.end_message else "")
            )
        return ", ".join([*parts, f"{self.restarts} restarts"])


def containers_of(pod_spec: Json) -> tuple[Json, ...]:
    """All containers of a specification, those that prepare it first."""
    return (*mappings_of(pod_spec.get("initContainers")), *mappings_of(pod_spec.get("containers")))


def states_of(pod: KubeObject) -> Iterator[ContainerState]:
    """The containers of a pod that have a state."""
    for field, init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for row in mappings_of(pod.status.get(field)):
            waiting = mapping_of(dig(row, "state", "waiting"))
            ended = mapping_of(dig(row, "state", "terminated")) or mapping_of(dig(row, "lastState", "terminated"))
            code, restarts = ended.get("exitCode"), row.get("restartCount")
            yield ContainerState(
                name=str(row.get("name") or ""),
                init=init,
                ready=row.get("ready") is True,
                running=isinstance(dig(row, "state", "running"), dict),
                restarts=restarts if isinstance(restarts, int) else 0,
                waiting_reason=str(waiting.get("reason") or ""),
                waiting_message=str(waiting.get("message") or ""),
                ended=bool(ended),
                end_reason=str(ended.get("reason") or ""),
                end_message=str(ended.get("message") or ""),
                exit_code=code if isinstance(code, int) else None,
                running_since=str(dig(row, "state", "running", "startedAt") or ""),
                ran_seconds=_seconds_between(ended.get("startedAt"), ended.get("finishedAt")),
            )


def _seconds_between(start: object, end: object) -> float | None:
    try:
        return (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (ValueError, TypeError):  # not given, or one without a time zone
        return None


def is_healthy(pod: KubeObject) -> bool:
    """Whether a pod does its work, or has done it."""
    phase = pod.status.get("phase")
    if phase == "Succeeded":
        return True
    if phase != "Running":
        return False
    ready = pod.condition("Ready")
    if ready:
        return ready.get("status") == "True"
    return all(state.ready for state in states_of(pod) if not state.init)


def is_leaving(pod: KubeObject) -> bool:
    """Whether a pod is being deleted."""
    return bool(dig(pod.raw, "metadata", "deletionTimestamp"))


def ailing_pods(snapshot: ClusterSnapshot) -> Iterator[KubeObject]:
    """Pods that do not do their work. Of those that failed and were replaced by healthy ones, none."""
    for pod in snapshot.of_kind("Pod"):
        if pod.status and not is_healthy(pod) and not is_leaving(pod) and not _is_replaced(snapshot, pod):
            yield pod


def _is_replaced(snapshot: ClusterSnapshot, pod: KubeObject) -> bool:
    """A pod that ended badly counts for nothing once its workload has what it wants."""
    if pod.status.get("phase") != "Failed" or pod.status.get("reason") == "Evicted" or pod.owner is None:
        return False
    owner = snapshot.find(pod.owner.kind, pod.owner.namespace, pod.owner.name)
    if owner is not None and owner.kind == "Job":
        return bool(owner.condition("Complete").get("status") == "True")
    return any(is_healthy(other) for other in snapshot.children_of(pod.owner)) if owner is not None else False


def status_quote(item: KubeObject, text: str) -> Quote:
    """A quote from the status of an object."""
    return Quote(source=f"status:{item.ref}", text=one_line(text))


def spec_quote(item: KubeObject, text: str) -> Quote:
    """A quote from what an object should be."""
    return Quote(source=f"spec:{item.ref}", text=one_line(text))


def event_quote(event: ClusterEvent) -> Quote:
    """An event as a quote."""
    times = f" (x{event.count})" if event.count > 1 else ""
    return Quote(source=f"event:{event.id}", text=one_line(f"{event.reason}: {event.message}{times}"))


def one_line(text: str) -> str:
    """Outside text as one line of bounded length."""
    return " ".join(text.split())[:900]


def events_saying(snapshot: ClusterSnapshot, ref: ObjectRef, pattern: str) -> list[ClusterEvent]:
    """The events of an object whose reason or message says so, oldest first."""
    sought = re.compile(pattern, re.IGNORECASE)
    return [event for event in snapshot.events_of(ref) if sought.search(f"{event.reason}: {event.message}")]


def variables_of(container: Json) -> dict[str, Json]:
    """The environment of a container by name."""
    return {str(row.get("name")): row for row in mappings_of(container.get("env"))}


def words_of(container: Json) -> list[str]:
    """Command and arguments of a container."""
    found: list[str] = []
    for key in ("command", "args"):
        value = container.get(key)
        found += [str(word) for word in value] if isinstance(value, list) else [str(value)] if value else []
    return found


def int_of(value: object, default: int = 0) -> int:
    """The value when it is a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default
