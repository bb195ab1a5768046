"""Where the objects of a release go, and in which order: what others need goes first."""

from collections.abc import Callable, Sequence
from typing import Any

from tasks.domain.cluster import mapping_of

_FIRST = (
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "Secret",
    "ConfigMap",
    "PersistentVolumeClaim",
    "Service",
)
Manifest = dict[str, Any]


def place(
    manifests: Sequence[Manifest], *, namespace: str, is_namespaced: Callable[[str, str], bool]
) -> tuple[Manifest, ...]:
    """Each object with its namespace, in the order in which they are applied.

    An empty `namespace` keeps what the objects say; `is_namespaced` is asked with kind and apiVersion.
    """
    placed = [_placed(item, namespace, is_namespaced) for item in manifests]
    return tuple(sorted(placed, key=_rank))


def _placed(item: Manifest, namespace: str, is_namespaced: Callable[[str, str], bool]) -> Manifest:
    if not is_namespaced(str(item.get("kind")), str(item.get("apiVersion"))):
        return item
    metadata = mapping_of(item.get("metadata"))
    return {**item, "metadata": {**metadata, "namespace": namespace or metadata.get("namespace") or "default"}}


def _rank(item: Manifest) -> int:
    kind = str(item.get("kind"))
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
