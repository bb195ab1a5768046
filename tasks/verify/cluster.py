"""Proves a fix in a cluster: what had failed is read again until it is healthy, and has to stay so for its window.

Nothing else in the namespace may have got worse meanwhile. Time in which the API server cannot be reached is no time in
which the object was unhealthy; it is waited out, within bounds.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.kinds import KINDS
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, unique_refs, without_secret_data
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.cluster_health import ObjectHealth, health_of, namespace_health
from tasks.domain.outcome import Check, Verification
from tasks.errors import NotFoundError, TransientError

POLL_SECONDS = 2.0
MAX_WATCHED = 20
_NAMESPACED = (
    "Pod",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Service",
    "EndpointSlice",
    "PersistentVolumeClaim",
)
Read = Callable[[], ClusterSnapshot]


def read_health_state(cluster: Cluster, watched: Iterable[ObjectRef]) -> ClusterSnapshot:
    """What the health of the watched objects and of their namespaces is told from, read once.

    Raises:
        TransientError: the API server cannot be reached.
    """
    refs = unique_refs(watched)
    spaces = dict.fromkeys(ref.namespace for ref in refs if ref.namespace)
    objects = [
        KubeObject(raw=without_secret_data(raw))
        for space in spaces
        for kind in _NAMESPACED
        for raw in cluster.list_raw(kind, namespace=space)
    ]
    objects += _single(cluster, (ref for ref in refs if ref.kind not in _NAMESPACED))
    return ClusterSnapshot(objects=tuple(objects))


def _single(cluster: Cluster, refs: Iterable[ObjectRef]) -> Iterator[KubeObject]:
    for ref in refs:
        if ref.kind == "Secret" or ref.kind not in KINDS:
            continue  # the observer may not read it, or nothing is known of what it is
        try:
            yield cluster.read(ref)
        except NotFoundError:
            continue


def verify_cluster(
    read: Read,
    *,
    watched: tuple[ObjectRef, ...],
    before: tuple[ObjectHealth, ...],
    stable_seconds: float,
    timeout_seconds: float,
    door: Callable[[], ObjectHealth] | None = None,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Verification:
    """Watch until everything is healthy for `stable_seconds` on end, or `timeout_seconds` of reachable time are over.

    `before` is how the namespace was before the fix. `door` asks what a smoke test asked, where one had failed.
    """
    started = clock()
    watch = _Watch(watched, before, stable_seconds)
    unreachable = 0.0
    while True:
        at = clock()
        try:
            state = read()
        except TransientError as error:
            wait(POLL_SECONDS)
            unreachable += clock() - at
            watch.interrupt()
            if unreachable >= timeout_seconds:
                told = f"the cluster could not be reached for {unreachable:.0f} s ({error})"
                return Verification(passed=False, checks=(), seconds=clock() - started, inconclusive=told)
            continue
        if watch.proven(state, at, (door(),) if door else ()):
            break
        if clock() - started - unreachable >= timeout_seconds:
            break
        wait(POLL_SECONDS)
    checks = watch.checks()
    passed = bool(checks) and all(check.passed for check in checks)
    return Verification(passed=passed, checks=checks, seconds=clock() - started)


def comes_and_goes(found: ClusterTriage, state: ClusterSnapshot) -> bool:
    """Whether what has to change had been started again when it was diagnosed, and the same containers still run.

    However long they run this time, that is the time between two failures. Pods that were replaced count anew.
    """
    target = found.cause.target if found.cause is not None else None
    before = next((one.restarts for one in found.health if one.ref == target), 0)
    return target is not None and 0 < before <= health_of(state, target).restarts


class _Watch:
    """What was seen so far, and since when it is as it should be."""

    def __init__(self, watched: tuple[ObjectRef, ...], before: tuple[ObjectHealth, ...], stable_seconds: float) -> None:
        self._watched, self._stable_seconds = watched, stable_seconds
        self._well_before = {one.ref for one in before if one.healthy}
        self._spaces = dict.fromkeys(ref.namespace for ref in watched if ref.namespace)
        self._since: float | None = None
        self._restarts: dict[ObjectRef, int] = {}
        self._stable = 0.0
        self._last: tuple[ObjectHealth, ...] = ()
        self._worse: tuple[ObjectHealth, ...] = ()

    def interrupt(self) -> None:
        """Nothing was seen for a while: the window begins anew."""
        self._since = None

    def proven(self, state: ClusterSnapshot, at: float, beside: tuple[ObjectHealth, ...] = ()) -> bool:
        """Take one reading; true once everything was healthy for the whole window."""
        self._last = (*(health_of(state, ref) for ref in self._watched), *beside)
        around = [one for space in self._spaces for one in namespace_health(state, space)]
        self._worse = tuple(
            one for one in around if one.ref in self._well_before and not one.healthy and one.ref not in self._watched
        )
        restarted = any(one.restarts > self._restarts.get(one.ref, one.restarts) for one in self._last)
        self._restarts = {one.ref: one.restarts for one in self._last}
        if self._worse or restarted or not all(one.healthy for one in self._last):
            self._since, self._stable = None, 0.0
            return False
        self._since = at if self._since is None else self._since
        self._stable = at - self._since
        return self._stable >= self._stable_seconds

    def checks(self) -> tuple[Check, ...]:
        """What the last reading says, as checks."""
        stable = self._since is not None and self._stable >= self._stable_seconds
        own = [Check(name=str(one.ref), passed=one.healthy and stable, detail=self._told(one)) for one in self._last]
        worse = [Check(name=str(one.ref), passed=False, detail=f"it got worse: {one.detail}") for one in self._worse]
        return (*own, *worse)

    def _told(self, one: ObjectHealth) -> str:
        if not one.healthy:
            return one.detail
        stood = f"for {self._stable:.0f} s on end"
        return (
            f"healthy {stood}" if self._since is not None else f"healthy, but not {self._stable_seconds:.0f} s on end"
        )
