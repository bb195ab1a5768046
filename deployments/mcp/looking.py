"""Looks at a live cluster for the tools: over a connection that only reads, within the scope, without secrets."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from deployments.mcp.scope import Scope
from deployments.mcp.text import last_lines, table_text, yaml_text
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.gathering import event_of
from tasks.clients.kubernetes.kinds import KINDS, ResourceKind
from tasks.clients.kubernetes.viewing import ObjectTable, find_kind, read_table, served_kinds
from tasks.collect.cluster import redact_object
from tasks.collect.redact import redact
from tasks.domain.cluster import ClusterEvent, KubeObject, dig, mappings_of
from tasks.errors import BadInputError
from tasks.settings import Settings

MARGIN_LINES = 80
"""Lines that are read before those that are told: a secret that began there (a key of many lines) is known as one."""
READ_BYTES = 2 * 1024 * 1024
MAX_EVENTS = 2_000


class Looking:
    """What can be seen in the cluster of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.scope = settings, Scope(settings.mcp, settings.kubernetes)

    @contextmanager
    def cluster(self) -> Iterator[Cluster]:
        """A connection that refuses everything but reading."""
        with Cluster.from_settings(self.settings.kubernetes, read_only=True) as cluster:
            yield cluster

    def about(self) -> str:
        """The cluster, its version, and what may be seen of it."""
        with self.cluster() as cluster:
            version = cluster.connection.request("GET", "/version")
            mcp = self.settings.mcp
            return yaml_text(
                {
                    "cluster": cluster.name,
                    "kubernetes": str(version.get("gitVersion")),
                    "namespaces": self.scope.told,
                    "log_limits": {"lines": mcp.log_max_lines, "bytes": mcp.log_max_bytes},
                    "answer_max_bytes": mcp.answer_max_bytes,
                    "writes": "none; propose_remedy opens an incident that policy and people decide on",
                }
            )

    def kinds(self, word: str) -> str:
        """The kinds that the cluster serves."""
        with self.cluster() as cluster:
            found, silent = served_kinds(cluster)
        rows = [
            (row.kind.kind, row.kind.api_version, row.kind.plural, ",".join(row.short_names), row.kind.namespaced)
            for row in found
            if row.listable and word.lower() in f"{row.kind.kind} {row.kind.api_version} {row.kind.plural}".lower()
        ]
        said = table_text(
            ("KIND", "API_VERSION", "PLURAL", "SHORT", "NAMESPACED"),
            [(*row[:4], str(row[4]).lower()) for row in rows],
        )
        return said + "".join(f"\ndid not answer: {version}" for version in silent)

    def table(
        self,
        word: str,
        api_version: str = "",
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
        limit: int,
    ) -> str:
        """The objects of a kind, as kubectl shows them."""
        with self.cluster() as cluster:
            kind = find_kind(cluster, word, api_version)
            tables = list(self._tables(cluster, kind, namespace, labels, fields, limit))
        rows = [
            (row.namespace, *row.cells) if kind.namespaced else row.cells
            for table in tables
            for row in table.rows
            if self._may_show(kind, row.namespace, row.name)
        ]
        columns = tables[0].columns if tables else ()
        left = sum(table.left_out for table in tables) + max(0, len(rows) - limit)
        if not rows:
            return f"no {kind.plural} found" + (f" in {namespace}" if namespace else "")
        heading = ("Namespace", *columns) if kind.namespaced else columns
        more = f"\n[{left} or more are not shown; narrow it with a namespace or selector]" if left else ""
        return table_text(heading, rows[:limit]) + more

    def _tables(
        self, cluster: Cluster, kind: ResourceKind, namespace: str, labels: str, fields: str, limit: int
    ) -> Iterator[ObjectTable]:
        if not kind.namespaced:
            if kind.kind != "Namespace":
                self.scope.check_cluster_objects(kind.kind)
            yield read_table(cluster, kind, label_selector=labels, field_selector=fields, limit=limit)
        elif namespace or self.scope.named:
            for name in (self.scope.check(namespace),) if namespace else self.scope.named or ():
                yield read_table(
                    cluster, kind, namespace=name, label_selector=labels, field_selector=fields, limit=limit
                )
        else:
            both = ",".join(part for part in (fields, self.scope.field_selector) if part)
            yield read_table(cluster, kind, label_selector=labels, field_selector=both, limit=limit)

    def _may_show(self, kind: ResourceKind, namespace: str, name: str) -> bool:
        if kind.kind == "Namespace":
            return self.scope.allows(name)
        return not kind.namespaced or self.scope.allows(namespace)

    def read(self, word: str, namespace: str, name: str, api_version: str = "") -> KubeObject:
        """One object without secrets.

        Raises:
            RefusedError: it may not be read.
            NotFoundError: it does not exist.
        """
        if namespace:
            self.scope.check(namespace)
        with self.cluster() as cluster:
            kind = find_kind(cluster, word, api_version)
            if kind.kind == "Namespace":
                self.scope.check(name)
            elif not kind.namespaced:
                self.scope.check_cluster_objects(kind.kind)
            elif not namespace:
                raise BadInputError(f"{kind.kind} lives in a namespace; name it with 'namespace'")
            raw = cluster.connection.request("GET", kind.path(namespace, name))
        return redact_object(KubeObject(raw={**raw, "kind": kind.kind}))

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, tail: int) -> str:
        """The end of a container's log, redacted before it is cut."""
        self.scope.check(namespace)
        lines = min(tail, self.settings.mcp.log_max_lines)
        with self.cluster() as cluster:
            chosen = container or _only_container(cluster, namespace, pod)
            text = cluster.log(
                namespace,
                pod,
                chosen,
                previous=previous,
                tail_lines=lines + MARGIN_LINES,
                limit_bytes=READ_BYTES,
            )
        told = last_lines(redact(text), max_lines=lines, max_bytes=self.settings.mcp.log_max_bytes)
        return told or f"the container {chosen} of {namespace}/{pod} has written nothing"

    def events(self, namespace: str, *, kind: str, name: str, warnings_only: bool) -> tuple[ClusterEvent, ...]:
        """Events, newest first, of one object or of everything in a namespace."""
        wanted = [f"involvedObject.kind={kind}"] * bool(kind) + [f"involvedObject.name={name}"] * bool(name)
        wanted += ["type=Warning"] * warnings_only
        places = (self.scope.check(namespace),) if namespace else self.scope.named or ("",)
        if not namespace and not self.scope.named and self.scope.field_selector:
            wanted.append(self.scope.field_selector)
        found: list[ClusterEvent] = []
        with self.cluster() as cluster:
            for place in places:
                for raw in cluster.list_raw("Event", namespace=place, query={"fieldSelector": ",".join(wanted)}):
                    found.append(event_of(raw))
                    if len(found) >= MAX_EVENTS:
                        break
        found.sort(key=lambda event: event.seen_at, reverse=True)
        return tuple(event for event in found if self.scope.allows(event.id.partition("/")[0]))

    def listed(self, kind: str, namespace: str, *, api_version: str = "", labels: str = "") -> tuple[KubeObject, ...]:
        """The objects of a kind in the namespaces that may be read; of Secrets their metadata alone leaves the API."""
        places = (self.scope.check(namespace),) if namespace else self.scope.named or ("",)
        query = {"labelSelector": labels} if labels else None
        with self.cluster() as cluster:
            found = [
                KubeObject(raw=raw)
                for place in places
                for raw in cluster.list_raw(
                    kind, namespace=place, query=query, api_version=api_version, metadata_only=kind == "Secret"
                )
            ]
        return tuple(redact_object(item) for item in found if not item.namespace or self.scope.allows(item.namespace))

    @property
    def now(self) -> datetime:
        """The time of this look."""
        return datetime.now(UTC)


def _only_container(cluster: Cluster, namespace: str, pod: str) -> str:
    raw = cluster.connection.request("GET", KINDS["Pod"].path(namespace, pod))
    names = [str(row.get("name")) for row in mappings_of(dig(raw, "spec", "containers"))]
    if len(names) == 1:
        return names[0]
    others = [str(row.get("name")) for row in mappings_of(dig(raw, "spec", "initContainers"))]
    raise BadInputError(
        f"the pod {namespace}/{pod} has several containers; name one with 'container': {', '.join([*names, *others])}"
    )
