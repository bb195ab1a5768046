"""Reads the state of a live cluster once: one pass of paged lists, then the logs of the suspects. Nothing is changed.

What may not be listed or does not answer is remembered with its reason, and the capture goes on without it.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any

from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.gathering import Gathering
from tasks.clients.kubernetes.listings import Listing, listings_of
from tasks.clients.kubernetes.suspects import LogRequest, suspects_of
from tasks.domain.cluster import ClusterSnapshot, ObjectRef, mappings_of
from tasks.errors import BadInputError, ForbiddenError, HealflowError, NotFoundError, TransientError

API_SERVER = "cluster-api"
"""The source that could not be read when the API server does not answer at all."""
AT_ONCE = 6
"""Requests at a time: few, so that a busy API server is not kept busier."""
LOG_LINES = 10_000
"""So many lines of a log are read from its end, and looked through for complaints."""
KEPT_LINES = 300
"""So many of them are kept."""
LOG_LIMIT_BYTES = 8 * 1024 * 1024
_EXPIRED = 410
"""HTTP status of a list that took longer than its continue token lives."""
Tell = Callable[[str], None]


def capture_cluster(
    cluster: Cluster, *, namespaces: tuple[str, ...] | None, now: datetime, tell: Tell = lambda _: None
) -> ClusterSnapshot:
    """The state of these namespaces and of what they stand on, or of the whole cluster when `None`; `tell` hears of
    the progress. Where the API server does not answer at all, that is all that the snapshot says. Objects and logs are
    in one order, whichever answer came first.

    Raises:
        NotFoundError: there is no such namespace.
        ForbiddenError: the kubeconfig's account is refused altogether.
    """
    into = Gathering()
    into.recorded = True
    try:
        served = _served(cluster)
        for namespace in namespaces or ():
            _check_namespace(cluster, namespace)
    except TransientError as error:
        host, said = cluster.connection.host, str(error)
        into.cannot_read(API_SERVER, said if host in said else f"the API server {host} cannot be reached ({said})")
        return into.snapshot(captured_at=now)
    work = _Capture(cluster, into)
    work.run(tuple(listings_of(namespaces, served)), work.list_all, tell)
    work.lists_end()
    requests = suspects_of(into.snapshot(captured_at=now), quiet=namespaces is not None)
    work.run(requests, work.read_log, tell)
    found = into.snapshot(captured_at=now)
    ordered = sorted(found.objects, key=lambda item: (item.kind, item.namespace, item.name))
    return found.model_copy(update={"namespaces": frozenset(namespaces or ()), "objects": tuple(ordered)})


def _served(cluster: Cluster) -> frozenset[str]:
    """The versions of all API groups, which also shows whether anyone answers."""
    groups = mappings_of(cluster.connection.request("GET", "/apis").get("groups"))
    return frozenset(str(row.get("groupVersion")) for group in groups for row in mappings_of(group.get("versions")))


def _check_namespace(cluster: Cluster, namespace: str) -> None:
    try:
        cluster.read(ObjectRef(kind="Namespace", name=namespace))
    except ForbiddenError:
        return  # who may read inside it need not be allowed to read the namespace
    except NotFoundError as error:
        raise NotFoundError(f"there is no namespace {namespace!r} in the cluster {cluster.name}") from error


class _Capture:
    """The threads of one capture: they read at the same time, and add one after another."""

    def __init__(self, cluster: Cluster, into: Gathering) -> None:
        self._cluster, self._into = cluster, into
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._incomplete: set[str] = set()
        self._complete: set[str] = set()

    def run(self, items: Sequence[Any], read: Callable[[Any], None], tell: Tell) -> None:
        """Read all of them; an interrupt ends it after the requests that are under way."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="capture")
        waiting: set[Future[None]] = {pool.submit(read, item) for item in items}
        done_count = 0
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                done_count += len(done)
                what = "logs" if items and isinstance(items[0], LogRequest) else "lists"
                tell(f"{done_count} of {len(items)} {what} read")
        finally:
            if waiting:
                self._stopped.set()
            pool.shutdown(wait=not waiting, cancel_futures=True)

    def list_all(self, listing: Listing) -> None:
        """Take every object of a list."""
        try:
            try:
                self._pages(listing)
            except BadInputError as error:
                if error.status_code != _EXPIRED:
                    raise
                self._pages(listing)
        except HealflowError as error:
            self._missed(listing, error)
            return
        if listing.whole:
            self._complete.add(listing.kind)

    def _pages(self, listing: Listing) -> None:
        query: dict[str, str | int | bool] = {}
        if listing.selector:
            query["labelSelector"] = listing.selector
        if listing.field_selector:
            query["fieldSelector"] = listing.field_selector
        for item in self._cluster.list_raw(
            listing.kind,
            namespace=listing.namespace,
            query=query,
            api_version=listing.api_version,
            metadata_only=listing.metadata_only,
        ):
            if self._stopped.is_set():
                return
            with self._lock:
                self._into.add(item)

    def _missed(self, listing: Listing, error: HealflowError) -> None:
        if listing.optional and isinstance(error, NotFoundError):
            return
        reason = "not served by this API server" if isinstance(error, NotFoundError) else str(error)
        with self._lock:
            if listing.whole:
                self._incomplete.add(listing.kind)
            self._into.cannot_read(listing.source, reason)

    def lists_end(self) -> None:
        """Say which kinds were read whole."""
        self._into.listed_kinds = self._complete - self._incomplete

    def read_log(self, request: LogRequest) -> None:
        """Take the end of one log."""
        if self._stopped.is_set():
            return
        try:
            text = self._cluster.log(
                request.namespace,
                request.pod,
                request.container,
                previous=request.previous,
                tail_lines=LOG_LINES,
                limit_bytes=LOG_LIMIT_BYTES,
            )
        except (NotFoundError, BadInputError):
            return  # it is gone since the list, or never wrote
        except HealflowError as error:
            with self._lock:
                self._into.cannot_read(request.source, str(error))
            return
        with self._lock:
            self._into.add_log(
                request.namespace,
                request.pod,
                request.container,
                text.splitlines(),
                previous=request.previous,
                keep=KEPT_LINES,
            )
