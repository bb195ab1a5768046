"""Puts what was read together: the richer of two copies of an object stays, events and logs keep their sources."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tasks.domain.base import Noun
from tasks.domain.cluster import (
    CapturedText,
    ClusterEvent,
    ClusterSnapshot,
    Json,
    KubeObject,
    ObjectRef,
    mapping_of,
    mappings_of,
    without_secret_data,
)
from tasks.domain.evidence import UnreadableSource
from tasks.domain.log_digest import ContainerLog, LogDigest, digest_log

MAX_LOG_LINES = 2_000
MAX_TEXT_CHARACTERS = 400_000
_AGE = re.compile(r"(\d+)([smhdy])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


class Gathering:
    """Grows while sources are read; `snapshot` is what came of it."""

    def __init__(self) -> None:
        self._objects: dict[ObjectRef, KubeObject] = {}
        self._events: dict[tuple[ObjectRef, str, str], ClusterEvent] = {}
        self._logs: dict[tuple[str, str, str, bool], ContainerLog] = {}
        self._texts: list[CapturedText] = []
        self._unreadable: list[UnreadableSource] = []
        self.listed_kinds: set[str] = set()
        self._newest = ""
        self.recorded = False
        """Whether anything here comes from a cluster, rather than from a manifest."""

    def add(self, raw: Json, *, sketched: bool = False) -> None:
        """Take an object, a list of objects, or an event."""
        kind = str(raw.get("kind") or "")
        if isinstance(raw.get("items"), list) and (kind.endswith("List") or not kind):
            self._add_list(raw, kind)
            return
        if kind in _BEATS:
            self._newest = max(self._newest, *_moments(raw))
        if kind == "Event":
            self.add_event(event_of(raw))
            return
        if not kind or not mapping_of(raw.get("metadata")).get("name"):
            return
        if kind in _SINGLE:
            raw = {**raw, "metadata": {"namespace": "default", **mapping_of(raw.get("metadata"))}}
        item = KubeObject(raw=without_secret_data(raw), sketched=sketched or _is_metadata_only(raw))
        known = self._objects.get(item.ref)
        if known is None or _richness(item) > _richness(known):
            self._objects[item.ref] = item

    def _add_list(self, raw: Json, kind: str) -> None:
        items = mappings_of(raw.get("items"))
        named = kind.removesuffix("List")
        if named:
            self.listed_kinds.add(named)
        for item in items:
            inner = item if item.get("kind") or not named else {**item, "kind": named}
            self.listed_kinds.add(str(inner.get("kind") or ""))
            self.add(inner)

    def add_event(self, event: ClusterEvent) -> None:
        """Take an event; the later of two of the same words stays."""
        key = (event.about, event.reason, event.message)
        known = self._events.get(key)
        if known is None or event.seen_at >= known.seen_at:
            self._events[key] = event

    def add_log(
        self,
        namespace: str,
        pod: str,
        container: str,
        lines: Iterable[str],
        *,
        previous: bool = False,
        keep: int = MAX_LOG_LINES,
    ) -> None:
        """Take a log: the last `keep` lines of it, and what complains in all of them. The longer of two stays."""
        self.add_digest(namespace, pod, container, digest_log(lines, keep=keep), previous=previous)

    def add_digest(
        self, namespace: str, pod: str, container: str, digest: LogDigest, *, previous: bool = False
    ) -> None:
        """Take what is kept of a log; the longer of two stays."""
        log = ContainerLog(
            namespace=namespace,
            pod=pod,
            container=container,
            previous=previous,
            lines=digest.tail,
            first_line_number=digest.first_line_number,
            line_count=digest.line_count,
            complaints=digest.complaints,
            pace=digest.pace,
            growth=digest.growth,
        )
        key = (namespace, pod, container, previous)
        known = self._logs.get(key)
        if log.lines and (known is None or log.line_count > known.line_count):
            self._logs[key] = log

    def add_text(self, source: str, text: str) -> None:
        """Take what is neither object nor log."""
        self._texts.append(CapturedText(source=source, text=text[:MAX_TEXT_CHARACTERS]))

    def cannot_read(self, source: str, reason: str) -> None:
        """Remember what is missing."""
        self._unreadable.append(UnreadableSource(source=source, reason=" ".join(reason.split())[:300]))

    def snapshot(self, *, captured_at: datetime | None = None) -> ClusterSnapshot:
        """What was read. Where a cluster answered, manifests beside its answers say nothing about it; when it did and
        nobody tells, is taken from the newest sign of life in what it said. Logs have an order of their own: they are
        read at the same time.
        """
        recorded = self.recorded or any(_lives(item) for item in self._objects.values())
        objects = [item for item in self._objects.values() if not recorded or item.sketched or _lives(item)]
        return ClusterSnapshot(
            objects=tuple(objects),
            events=tuple(self._events.values()),
            logs=tuple(self._logs[key] for key in sorted(self._logs)),
            texts=tuple(self._texts),
            unreadable=tuple(self._unreadable),
            listed_kinds=frozenset(self.listed_kinds),
            desired_only=not recorded,
            captured_at=captured_at or (_as_time(self._newest) if recorded else None),
        )


_SINGLE = frozenset(
    [
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Service",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
        "Ingress",
        "NetworkPolicy",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ResourceQuota",
        "LimitRange",
        "HorizontalPodAutoscaler",
        "Endpoints",
        "PodDisruptionBudget",
        "ReplicationController",
        "EndpointSlice",
        "Gateway",
        "HTTPRoute",
    ]
)
"""Kinds that live in a namespace, which is `default` where a manifest names none."""


_BEATS = frozenset(["Event", "Node", "Lease"])
"""Kinds that are written at least every few minutes in a cluster that lives."""


def _moments(raw: Json) -> list[str]:
    """When this was last written, as far as it says so in RFC 3339 and UTC, which compare as text."""
    rows = mappings_of(mapping_of(raw.get("status")).get("conditions"))
    found = [row.get("lastHeartbeatTime") for row in rows]
    found += [raw.get("lastTimestamp"), raw.get("eventTime"), mapping_of(raw.get("spec")).get("renewTime")]
    return [moment for moment in found if isinstance(moment, str) and moment.endswith("Z")] or [""]


def _as_time(moment: str) -> datetime | None:
    try:
        return datetime.fromisoformat(moment)
    except ValueError:
        return None


def _is_metadata_only(raw: Json) -> bool:
    """A Secret of which only the metadata was asked for; the API gives every other one a type."""
    return raw.get("kind") == "Secret" and not raw.keys() & {"type", "data", "stringData"}


def _lives(item: KubeObject) -> bool:
    metadata = mapping_of(item.raw.get("metadata"))
    return bool(item.status or metadata.get("uid") or metadata.get("creationTimestamp"))


def _richness(item: KubeObject) -> tuple[bool, bool, int]:
    return (not item.sketched, _lives(item), len(item.raw))


def event_of(raw: Json) -> ClusterEvent:
    """An event of either API (`v1` or `events.k8s.io/v1`) as a noun."""
    metadata = mapping_of(raw.get("metadata"))
    about = mapping_of(raw.get("involvedObject") or raw.get("regarding"))
    series = mapping_of(raw.get("series"))
    count = raw.get("count") or raw.get("deprecatedCount") or series.get("count") or 1
    moments = (raw.get("lastTimestamp"), series.get("lastObservedTime"), raw.get("deprecatedLastTimestamp"))
    seen = next((m for m in (*moments, raw.get("eventTime"), metadata.get("creationTimestamp")) if m), None)
    return ClusterEvent(
        id=f"{metadata.get('namespace') or 'default'}/{metadata.get('name') or ''}",
        about=ObjectRef(
            kind=str(about.get("kind") or ""),
            namespace=str(about.get("namespace") or ""),
            name=str(about.get("name") or ""),
        ),
        reason=str(raw.get("reason") or ""),
        message=str(raw.get("message") or raw.get("note") or ""),
        warning=raw.get("type") == "Warning",
        count=count if isinstance(count, int) else 1,
        seen_at=_moment(seen),
    )


def _moment(value: Any) -> float:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp() if value else 0.0
    except ValueError:
        return 0.0


def age_seconds(text: str) -> float:
    """An age as kubectl prints it (`3m30s`, `91d`, `5d3h`) in seconds; 0 for what is none."""
    return float(sum(int(number) * _SECONDS[unit] for number, unit in _AGE.findall(text.split("(", maxsplit=1)[0])))


class TableRow(Noun):
    """One row of a table: its cells by the heading."""

    cells: dict[str, str]

    def get(self, *headings: str) -> str:
        """The first of these cells that the table has, else an empty text."""
        return next((self.cells[heading] for heading in headings if heading in self.cells), "")
