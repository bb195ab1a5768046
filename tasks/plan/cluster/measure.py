"""Measures what the containers of a workload use: several readings of PodMetrics over some time, of which the highest
counts. One reading may be of the moment in which a container begins, and is then far too low.
"""

import time
from collections.abc import Callable, Iterable

from tasks.clients.kubernetes import Cluster
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mappings_of
from tasks.domain.measured import ContainerUse, MeasuredUse
from tasks.domain.quantity import amount
from tasks.errors import HealflowError, TransientError
from tasks.settings import KubernetesSettings

READINGS = 3
"""So many different ones of one pod are enough; metrics-server makes one every 15 to 60 s."""
POLL_SECONDS = 3.0
_METRICS = "metrics.k8s.io/v1beta1"
Measure = Callable[[KubeObject], MeasuredUse]
"""What the pods of a workload use."""


def as_captured(snapshot: ClusterSnapshot) -> Measure:
    """The one reading that a snapshot holds."""

    def measure(target: KubeObject) -> MeasuredUse:
        use = _Use(pod.name for pod in snapshot.pods_of(target.ref))
        use.take(item.raw for item in snapshot.of_kind("PodMetrics") if item.namespace == target.namespace)
        return use.told(0.0)

    return measure


def live(settings: KubernetesSettings, context: str, snapshot: ClusterSnapshot) -> Measure:
    """Readings of the cluster in that context, for as long as the settings allow."""

    def measure(target: KubeObject) -> MeasuredUse:
        pods = [pod.name for pod in snapshot.pods_of(target.ref)]
        with Cluster.from_settings(settings.in_context(context), read_only=True) as cluster:
            return watch_use(
                lambda: cluster.list_raw("PodMetrics", namespace=target.namespace, api_version=_METRICS),
                pods,
                seconds=settings.measure_seconds,
            )

    return measure


def watch_use(
    read: Callable[[], Iterable[Json]],
    pods: Iterable[str],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> MeasuredUse:
    """Read until there are enough readings or the time is up; a metrics API that is away is waited for as long."""
    use, started = _Use(pods), clock()
    while True:
        problem, last = "", False
        try:
            use.take(read())
        except TransientError as error:
            problem = f"the metrics API did not answer ({error})"
        except HealflowError as error:
            problem, last = f"the metrics API cannot be asked ({error})", True
        if last or use.enough or clock() - started >= seconds:
            return use.told(clock() - started, problem)
        wait(POLL_SECONDS)


class _Use:
    """The readings so far of these pods."""

    def __init__(self, pods: Iterable[str]) -> None:
        self._read: dict[str, set[str]] = {name: set() for name in pods}
        self._highest: dict[str, ContainerUse] = {}

    def take(self, rows: Iterable[Json]) -> None:
        """Take one answer; a reading that is there already counts once."""
        for row in rows:
            seen = self._read.get(str(dig(row, "metadata", "name")))
            containers = mappings_of(row.get("containers"))
            if seen is None or not containers:
                continue
            seen.add(str(row.get("timestamp")))
            for one in containers:
                self._raise(str(one.get("name")), *(amount(dig(one, "usage", key)) or 0.0 for key in ("cpu", "memory")))

    def _raise(self, name: str, cpu: float, memory: float) -> None:
        known = self._highest.get(name, ContainerUse(container=name, cpu=0.0, memory=0.0))
        highest = {"cpu": max(known.cpu, cpu), "memory": max(known.memory, memory)}
        self._highest[name] = known.model_copy(update=highest)

    @property
    def readings(self) -> int:
        return max(map(len, self._read.values()), default=0)

    @property
    def enough(self) -> bool:
        return self.readings >= READINGS

    def told(self, seconds: float, problem: str = "") -> MeasuredUse:
        return MeasuredUse(
            containers=tuple(self._highest.values()), readings=self.readings, seconds=seconds, problem=problem
        )
