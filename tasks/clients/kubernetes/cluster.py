"""A live cluster: its objects read, listed, patched, applied, made and deleted, and logs of its containers.

Every change takes `dry_run`, with which the API server does all of it but keep it.
"""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from tasks.clients.kubernetes.connection import APPLY_PATCH, JSON_PATCH, METADATA_ONLY, Connection, Query
from tasks.clients.kubernetes.kinds import KINDS, ResourceKind
from tasks.domain.cluster import Json, KubeObject, ObjectRef, mapping_of, mappings_of, without_secret_data
from tasks.errors import PermanentError
from tasks.settings import KubernetesSettings

FIELD_MANAGER = "healflow"
"""The owner of fields that Healflow sets: https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
PAGE = 500
"""Objects per page of a list, as kubectl asks for them."""


class Cluster:
    """One cluster, spoken to over one connection; close it, or use it as a context."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._discovered: dict[tuple[str, str], ResourceKind] = {}

    @classmethod
    def from_settings(cls, settings: KubernetesSettings, *, acting: bool = False, read_only: bool = False) -> Self:
        """The cluster that the settings name, with the healer's account when `acting`; with `read_only` every change
        is refused before it is sent.

        Raises:
            PermanentError: no kubeconfig can be used.
        """
        return cls(Connection(settings, acting=acting, read_only=read_only))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    @property
    def name(self) -> str:
        """The kubeconfig's context, or `in-cluster`."""
        return self._connection.name

    @property
    def connection(self) -> Connection:
        """For paths that are no objects: metrics, discovery, health."""
        return self._connection

    def kind_of(self, kind: str, api_version: str = "") -> ResourceKind:
        """Where a kind stands, asked of the API server when it is not built in.

        Raises:
            PermanentError: the API server knows no such kind.
        """
        known = KINDS.get(kind)
        if known is not None and api_version in ("", known.api_version):
            return known
        if not api_version:
            raise PermanentError(f"the kind {kind} is not built in; name its apiVersion")
        key = (kind, api_version)
        if key not in self._discovered:
            probe = ResourceKind(kind=kind, api_version=api_version, plural="")
            listed = mappings_of(self._connection.request("GET", probe.root).get("resources"))
            found = next((row for row in listed if row.get("kind") == kind and "/" not in str(row.get("name"))), None)
            if found is None:
                raise PermanentError(f"no matches for kind {kind!r} in version {api_version!r}")
            self._discovered[key] = ResourceKind(
                kind=kind, api_version=api_version, plural=str(found["name"]), namespaced=bool(found.get("namespaced"))
            )
        return self._discovered[key]

    def read(self, ref: ObjectRef, *, api_version: str = "") -> KubeObject:
        """The object as it is now; of a Secret only the names of its keys.

        Raises:
            NotFoundError: it does not exist.
        """
        path = self.kind_of(ref.kind, api_version).path(ref.namespace, ref.name)
        return _kept(self._connection.request("GET", path), ref.kind)

    def list_raw(
        self,
        kind: str,
        *,
        namespace: str = "",
        query: Query | None = None,
        api_version: str = "",
        metadata_only: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """The objects of a kind in one namespace or in all, page by page, as the API server tells them; with
        `metadata_only` the rest of them never leaves it.

        Raises:
            ForbiddenError: the account may not list them.
            NotFoundError: this API server does not serve the kind.
        """
        row = self.kind_of(kind, api_version)
        asked: dict[str, str | int | bool] = {"limit": PAGE, **(query or {})}
        accept = METADATA_ONLY if metadata_only else "application/json"
        while True:
            page = self._connection.request("GET", row.path(namespace), query=asked, accept=accept)
            for item in mappings_of(page.get("items")):
                yield {"apiVersion": row.api_version, **item, "kind": kind}
            following = str(mapping_of(page.get("metadata")).get("continue") or "")
            if not following:
                return
            asked["continue"] = following

    def patch(self, ref: ObjectRef, operations: Sequence[Json], *, dry_run: bool = False) -> KubeObject:
        """Change an object by a JSON patch (RFC 6902), whose `test` operations guard against a moved target.

        Raises:
            ConflictError: a `test` operation fails, and nothing was changed.
        """
        path = self.kind_of(ref.kind).path(ref.namespace, ref.name)
        query = _writing(dry_run)
        answer = self._connection.request("PATCH", path, query=query, body=list(operations), content_type=JSON_PATCH)
        return _kept(answer, ref.kind)

    def apply(self, manifest: Json, *, force: bool = False, dry_run: bool = False) -> KubeObject:
        """Server-side apply of one manifest, which names its apiVersion, kind and name.

        Raises:
            ConflictError: another manager owns a field that the manifest sets, and `force` is off.
        """
        kind, api_version = str(manifest.get("kind")), str(manifest.get("apiVersion"))
        metadata = mapping_of(manifest.get("metadata"))
        path = self.kind_of(kind, api_version).path(str(metadata.get("namespace") or ""), str(metadata.get("name")))
        query: Query = {**_writing(dry_run), "force": force}
        return _kept(
            self._connection.request("PATCH", path, query=query, body=manifest, content_type=APPLY_PATCH), kind
        )

    def create(self, manifest: Json, *, dry_run: bool = False) -> KubeObject:
        """Make an object.

        Raises:
            ConflictError: it exists.
        """
        kind, api_version = str(manifest.get("kind")), str(manifest.get("apiVersion"))
        namespace = str(mapping_of(manifest.get("metadata")).get("namespace") or "")
        path = self.kind_of(kind, api_version).path(namespace)
        return _kept(self._connection.request("POST", path, query=_writing(dry_run), body=manifest), kind)

    def delete(
        self, ref: ObjectRef, *, uid: str, version: str = "", dry_run: bool = False, propagation: str = "Background"
    ) -> None:
        """Delete exactly the object of that uid, and with `version` (its `resourceVersion`) only as it was then.

        Raises:
            ConflictError: the name now belongs to another object, or the object was changed.
            NotFoundError: it is gone.
        """
        body: Json = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, **({"resourceVersion": version} if version else {})},
            "propagationPolicy": propagation,
            **({"dryRun": ["All"]} if dry_run else {}),
        }
        self._connection.request("DELETE", self.kind_of(ref.kind).path(ref.namespace, ref.name), body=body)

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail_lines: int = 300,
        limit_bytes: int = 262_144,
    ) -> str:
        """The end of a container's log; `previous` is that of the container before its last restart.

        Raises:
            BadInputError: the container has not started, or has no previous one.
        """
        path = KINDS["Pod"].path(namespace, pod) + "/log"
        query: Query = {
            "container": container,
            "tailLines": tail_lines,
            "limitBytes": limit_bytes,
            "previous": previous,
        }
        return self._connection.read_bytes("GET", path, query=query).decode("utf-8", "replace")


def _writing(dry_run: bool) -> dict[str, str | int | bool]:
    return {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}


def _kept(answer: Json, kind: str) -> KubeObject:
    return KubeObject(raw=without_secret_data({**answer, "kind": kind}))
