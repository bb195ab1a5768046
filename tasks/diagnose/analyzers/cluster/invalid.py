"""What the API server or the scheduler will refuse of manifests: requests above limits, a port of the nodes given twice, and
classes that nobody defines. Of a live cluster its own refusals tell.
"""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, int_of, spec_quote
from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, ObjectRef, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_CLASSES = (("priorityClassName", "PriorityClass", "system-"), ("runtimeClassName", "RuntimeClass", "runc"))


def find_invalid(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each manifest that will not be taken, or of which no pod will be made."""
    if not snapshot.desired_only:
        return
    for item in snapshot.templates():
        yield from _without_class(snapshot, item)
        for container in containers_of(item.pod_spec):
            yield from _asks_above_limit(item, container)
            yield from _takes_port_of_node(item, container)
    yield from _same_node_port(snapshot)


def _without_class(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[Clue]:
    for field, kind, known in _CLASSES:
        name = str(item.pod_spec.get(field) or "")
        if name and not name.startswith(known) and snapshot.find(kind, "", name) is None:
            target = ObjectRef(kind=kind, name=name)
            cause = f"{target} is not defined here, and {item.ref} needs it ({field}): without it no pod is made."
            yield _clue(item, F.K8S_MOUNT, cause, f"{field}: {name}", 0.5, target)


def _asks_above_limit(item: KubeObject, container: Json) -> Iterator[Clue]:
    limits = mapping_of(dig(container, "resources", "limits"))
    for name, asked in mapping_of(dig(container, "resources", "requests")).items():
        wanted, most = amount(asked), amount(limits.get(name))
        if wanted is not None and most is not None and wanted > most:
            cause = f"{item.ref}: container {container.get('name')} requests {name} {asked}, more than its limit {limits[name]}, so that the API server refuses it."
            yield _clue(
                item, F.DEP_APPLY_INVALID, cause, f"requests.{name}: {asked}, limits.{name}: {limits[name]}", 0.9
            )


def _takes_port_of_node(item: KubeObject, container: Json) -> Iterator[Clue]:
    replicas = int_of(item.spec.get("replicas"), 1)
    for row in mappings_of(container.get("ports")):
        if row.get("hostPort") and replicas > 1 and item.kind in ("Deployment", "StatefulSet"):
            cause = f"{item.ref}: {replicas} replicas want port {row['hostPort']} of their node (hostPort), which needs {replicas} nodes."
            yield _clue(item, F.K8S_PENDING_UNSCHED, cause, f"hostPort: {row['hostPort']}, replicas: {replicas}", 0.5)


def _same_node_port(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    taken: dict[tuple[object, object], KubeObject] = {}
    for service in snapshot.of_kind("Service"):
        for row in mappings_of(service.spec.get("ports")):
            key = (row.get("nodePort"), row.get("protocol", "TCP"))
            first = taken.setdefault(key, service) if key[0] else service
            if first is not service:
                cause = f"{service.ref} wants the node port {key[0]}, which {first.ref} has, so that the API server refuses it."
                yield _clue(service, F.DEP_APPLY_INVALID, cause, f"nodePort: {key[0]}", 0.9)


def _clue(item: KubeObject, kind: F, cause: str, said: str, confidence: float, target: ObjectRef | None = None) -> Clue:
    return Clue(
        failure_class=kind,
        rule="cluster-invalid",
        cause=cause,
        target=target or item.ref,
        victims=(item.ref,) if target else (),
        quotes=(spec_quote(item, said),),
        confidence=confidence,
        rank=24,
    )
