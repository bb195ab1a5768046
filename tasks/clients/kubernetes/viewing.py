"""Any kind of a cluster as `kubectl get` shows it: which kinds it serves, and the API server's own tables of them."""

from collections.abc import Iterator

from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.kinds import KINDS, ResourceKind
from tasks.domain.base import Noun
from tasks.domain.cluster import Json, dig, mapping_of, mappings_of
from tasks.errors import HealflowError, NotFoundError, PermanentError

AS_TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables"""


class ServedKind(Noun):
    """One kind that the API server serves, with the names that people use for it."""

    kind: ResourceKind
    short_names: tuple[str, ...] = ()
    listable: bool = True

    def is_called(self, word: str) -> bool:
        """Whether that is its kind, its plural or one of its short names."""
        return word.lower() in {self.kind.kind.lower(), self.kind.plural, *self.short_names}


class TableRow(Noun):
    """One object in a table."""

    namespace: str
    name: str
    cells: tuple[str, ...]


class ObjectTable(Noun):
    """The objects of one kind, in the columns that the API server thinks worth showing."""

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    left_out: int = 0
    """How many more there are at least."""


def served_kinds(cluster: Cluster) -> tuple[tuple[ServedKind, ...], tuple[str, ...]]:
    """All kinds in their preferred versions, and the group versions that did not answer.

    Raises:
        HealflowError: the API server does not answer, or refuses discovery.
    """
    groups = mappings_of(cluster.connection.request("GET", "/apis").get("groups"))
    versions = ["v1", *(str(dig(group, "preferredVersion", "groupVersion")) for group in groups)]
    found, silent = list[ServedKind](), list[str]()
    for version in versions:
        probe = ResourceKind(kind="", api_version=version, plural="")
        try:
            listed = mappings_of(cluster.connection.request("GET", probe.root).get("resources"))
        except HealflowError:
            silent.append(version)  # an aggregated API whose server is down
            continue
        found += _rows(version, listed)
    return tuple(found), tuple(silent)


def _rows(version: str, listed: tuple[Json, ...]) -> Iterator[ServedKind]:
    for row in listed:
        if "/" in str(row.get("name")):
            continue  # a subresource
        kind = ResourceKind(
            kind=str(row.get("kind")),
            api_version=version,
            plural=str(row.get("name")),
            namespaced=bool(row.get("namespaced")),
        )
        short = tuple(str(name) for name in row.get("shortNames") or ())
        yield ServedKind(kind=kind, short_names=short, listable="list" in (row.get("verbs") or ()))


def find_kind(cluster: Cluster, word: str, api_version: str = "") -> ResourceKind:
    """The kind that is meant by `Deployment`, `deployments` or `deploy`, in that version or in the preferred one.

    Raises:
        NotFoundError: the cluster serves no such kind.
    """
    built_in = next((row for row in KINDS.values() if word.lower() in (row.kind.lower(), row.plural)), None)
    if built_in is not None and api_version in ("", built_in.api_version):
        return built_in
    if api_version:
        probe = ResourceKind(kind="", api_version=api_version, plural="")
        listed = mappings_of(cluster.connection.request("GET", probe.root).get("resources"))
        served: tuple[ServedKind, ...] = tuple(_rows(api_version, listed))
    else:
        served, _ = served_kinds(cluster)
    known = next((row.kind for row in served if row.is_called(word)), None)
    if known is None:
        raise NotFoundError(f"the cluster serves no kind {word!r}" + (f" in {api_version}" if api_version else ""))
    return known


def read_table(
    cluster: Cluster,
    kind: ResourceKind,
    *,
    namespace: str = "",
    label_selector: str = "",
    field_selector: str = "",
    limit: int = 100,
) -> ObjectTable:
    """The first objects of a kind in one namespace, or in all.

    Raises:
        HealflowError: they may not be listed, or a selector is wrong.
    """
    query: dict[str, str | int | bool] = {"limit": limit}
    if label_selector:
        query["labelSelector"] = label_selector
    if field_selector:
        query["fieldSelector"] = field_selector
    told = cluster.connection.request("GET", kind.path(namespace), query=query, accept=AS_TABLE)
    if told.get("kind") != "Table":
        raise PermanentError(f"the API server gives no table of {kind.plural}")
    shown = [n for n, column in enumerate(mappings_of(told.get("columnDefinitions"))) if not column.get("priority")]
    columns = [str(column.get("name")) for column in mappings_of(told.get("columnDefinitions"))]
    metadata = mapping_of(told.get("metadata"))
    remaining = metadata.get("remainingItemCount")
    rows = tuple(_table_row(row, shown) for row in mappings_of(told.get("rows")))
    left = remaining if isinstance(remaining, int) else int(bool(metadata.get("continue")))
    return ObjectTable(columns=tuple(columns[n] for n in shown), rows=rows, left_out=left)


def _table_row(row: Json, shown: list[int]) -> TableRow:
    cells = row.get("cells") or []
    return TableRow(
        namespace=str(dig(row, "object", "metadata", "namespace") or ""),
        name=str(dig(row, "object", "metadata", "name") or ""),
        cells=tuple(str(cells[n]) for n in shown if n < len(cells)),
    )
