"""Who asks whom: workloads that name a Service as a host, what a host means, and what stands behind a Service."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, words_of
from tasks.domain.cluster import (
    ClusterSnapshot,
    KubeObject,
    ObjectRef,
    dig,
    mapping_of,
    mappings_of,
    selects,
    unique_refs,
)


def callers_of(snapshot: ClusterSnapshot, service: KubeObject) -> Iterator[KubeObject]:
    """What names the service as a host in its command or environment."""
    for item in snapshot.templates():
        if _names(item, service) and not selects(mapping_of(service.spec.get("selector")), item.pod_labels):
            yield item


def _names(item: KubeObject, service: KubeObject) -> bool:
    near = item.namespace == service.namespace
    place = "" if near else rf"\.{re.escape(service.namespace)}"
    sought = re.compile(rf"(?<![\w.-]){re.escape(service.name)}{place}(?=[.:/\s'\"]|$)")
    return any(sought.search(text) for text in said_by(item))


def said_by(item: KubeObject) -> Iterator[str]:
    """The words of the commands and the values of the variables of a workload."""
    for container in containers_of(item.pod_spec):
        yield from words_of(container)
        yield from (str(row.get("value")) for row in mappings_of(container.get("env")) if row.get("value"))


def ingress_services(ingress: KubeObject) -> frozenset[str]:
    """The names of the services that an ingress sends to."""
    paths = [
        path for rule in mappings_of(ingress.spec.get("rules")) for path in mappings_of(dig(rule, "http", "paths"))
    ]
    backends = [ingress.spec.get("defaultBackend"), *(path.get("backend") for path in paths)]
    return frozenset(str(name) for backend in backends if (name := dig(backend, "service", "name")))


def find_service(snapshot: ClusterSnapshot, host: str, namespace: str) -> KubeObject | None:
    """The service that a host name or address means, seen from a namespace; `None` when it is none of this cluster."""
    name, _, _ = host.partition(":")
    parts = name.split(".")
    if re.fullmatch(r"[\d.]+", name):
        return next((item for item in snapshot.of_kind("Service") if item.spec.get("clusterIP") == name), None)
    if len(parts) > 2 and parts[2] != "svc":
        return None
    return snapshot.find("Service", parts[1] if len(parts) > 1 else namespace, parts[0])


def behind(snapshot: ClusterSnapshot, service: KubeObject) -> list[ObjectRef]:
    """The workloads whose pods a service selects."""
    selector = mapping_of(service.spec.get("selector"))
    chosen = [item for item in snapshot.carriers(service.namespace) if selector and selects(selector, item.pod_labels)]
    return list(unique_refs(snapshot.workload_of(item) for item in chosen))
