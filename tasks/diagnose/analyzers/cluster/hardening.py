"""What breaks nothing and should not stay so: privileges, the default account, ConfigMaps that nobody reads."""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.calling import said_by
from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_READ_OTHERWISE = (
    "grafana_dashboard",
    "grafana_datasource",
    "prometheus",
    "rules",
    "dashboard",
    "istio",
    "leader",
    "skip",
)
"""Parts of labels and annotations of ConfigMaps that are read through the API, and not by the pods that name them."""
_SYSTEM = ("kube-system", "kube-public", "kube-node-lease")


def find_soft_spots(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """Hints only."""
    spaces: dict[str, list[KubeObject]] = {}
    for item in snapshot.templates():
        if item.namespace not in _SYSTEM:
            spaces.setdefault(item.namespace, []).append(item)
            yield from _privileged(item)
    for namespace, items in spaces.items():
        yield from _default_account(namespace, items)
        yield from _no_context(namespace, items)
        yield from _unused(snapshot, namespace, items)


def _hint(failure_class: F, target: ObjectRef, cause: str, item: KubeObject, said: str) -> Clue:
    return Clue(
        failure_class=failure_class,
        rule="cluster-soft-spot",
        cause=cause,
        target=target,
        quotes=(spec_quote(item, said),),
        confidence=0.3,
        hint=True,
    )


def _some(items: list[KubeObject]) -> str:
    more = f" and {len(items) - 1} more workloads run" if len(items) > 1 else " runs"
    return f"{items[0].kind} {items[0].name}{more}"


def _privileged(item: KubeObject) -> Iterator[Clue]:
    for container in containers_of(item.pod_spec):
        if dig(container, "securityContext", "privileged") is True:
            cause = f"{item.ref}: container {container.get('name')} is privileged."
            yield _hint(F.K8S_ADMISSION_PSS, item.ref, cause, item, "privileged: true")
            return


def _default_account(namespace: str, items: list[KubeObject]) -> Iterator[Clue]:
    users = [item for item in items if item.pod_spec.get("serviceAccountName", "default") == "default"]
    if users:
        target = ObjectRef(kind="ServiceAccount", namespace=namespace, name="default")
        cause = f"{_some(users)} in {namespace} as the default service account."
        yield _hint(F.K8S_RBAC, target, cause, users[0], "serviceAccountName: default")


def _no_context(namespace: str, items: list[KubeObject]) -> Iterator[Clue]:
    bare = [item for item in items if not _has_context(item.pod_spec)]
    if bare:
        target = ObjectRef(kind="Namespace", name=namespace)
        cause = f"{_some(bare)} in {namespace} without a security context."
        yield _hint(F.K8S_ADMISSION_PSS, target, cause, bare[0], "securityContext: (none)")


def _has_context(spec: Json) -> bool:
    return bool(spec.get("securityContext")) or any(row.get("securityContext") for row in containers_of(spec))


def _unused(snapshot: ClusterSnapshot, namespace: str, items: list[KubeObject]) -> Iterator[Clue]:
    maps = [item for item in snapshot.of_kind("ConfigMap", namespace) if not _is_read_otherwise(item)]
    if not maps:
        return
    used = {name for item in (*items, *snapshot.of_kind("Pod", namespace)) for name in _config_maps(item.pod_spec)}
    words = [text for item in items for text in said_by(snapshot, item)]
    for item in maps:
        if item.name not in used and not any(item.name in text for text in words):
            cause = f"No pod of {namespace} uses {item.ref}."
            yield _hint(F.K8S_CONFIG_KEY, item.ref, cause, item, f"keys: {len(mapping_of(item.raw.get('data')))}")


def _is_read_otherwise(item: KubeObject) -> bool:
    said = " ".join((*item.labels, *item.annotations)).lower()
    return item.name == "kube-root-ca.crt" or item.owner is not None or any(part in said for part in _READ_OTHERWISE)


def _config_maps(spec: Json) -> Iterator[str]:
    for container in containers_of(spec):
        for row in mappings_of(container.get("env")):
            yield str(dig(row, "valueFrom", "configMapKeyRef", "name"))
        for row in mappings_of(container.get("envFrom")):
            yield str(dig(row, "configMapRef", "name"))
    for volume in mappings_of(spec.get("volumes")):
        yield str(dig(volume, "configMap", "name"))
        for source in mappings_of(dig(volume, "projected", "sources")):
            yield str(dig(source, "configMap", "name"))
