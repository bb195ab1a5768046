"""Who asks whom: workloads that name a Service as a host, what a host means, and what stands behind a Service."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, words_of
from tasks.domain.cluster import (
    ClusterSnapshot,
    Json,
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
        if _names(snapshot, item, service) and not selects(mapping_of(service.spec.get("selector")), item.pod_labels):
            yield item


def services_named_by(snapshot: ClusterSnapshot, item: KubeObject) -> list[KubeObject]:
    """The services that a workload or pod names as hosts, other than its own."""
    return [
        service
        for service in snapshot.of_kind("Service")
        if _names(snapshot, item, service)
        and not selects(mapping_of(service.spec.get("selector")) or {"": None}, item.pod_labels)
    ]


def port_named_by(snapshot: ClusterSnapshot, item: KubeObject, service: KubeObject) -> str:
    """The port that stands behind the service's name in what a workload says, empty where none does."""
    sought = re.compile(rf"(?<![\w.-]){re.escape(service.name)}(?:\.[\w.-]+)?:(\d{{2,5}})\b")
    return next((found[1] for text in said_by(snapshot, item) if (found := sought.search(text))), "")


def _names(snapshot: ClusterSnapshot, item: KubeObject, service: KubeObject) -> bool:
    near = item.namespace == service.namespace
    place = "" if near else rf"\.{re.escape(service.namespace)}"
    sought = re.compile(rf"(?<![\w.-]){re.escape(service.name)}{place}(?=[.:/\s'\"]|$)")
    return any(service.name in text and sought.search(text) for text in said_by(snapshot, item))


def said_by(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[str]:
    """The words of the commands and the values of the variables of a workload, also those out of ConfigMaps."""
    for container in containers_of(item.pod_spec):
        yield from words_of(container)
        yield from (value for _, value, _ in _variables(snapshot, item, container))


def config_saying(snapshot: ClusterSnapshot, item: KubeObject, word: str) -> ObjectRef | None:
    """The ConfigMap from which a workload has a word; `None` where no one has it, or its own specification does."""
    sought = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
    if any(sought.search(text) for text in _own_words(item)):
        return None
    for config in _configs_of(snapshot, item):
        if any(sought.search(str(text)) for text in mapping_of(config.raw.get("data")).values()):
            return config.ref
    return None


def variable_holding(snapshot: ClusterSnapshot, item: KubeObject, value: str) -> tuple[str, ObjectRef] | None:
    """The only variable of a workload that has this value, and where it stands; `None` when there is none, or more."""
    variables = (row for container in containers_of(item.pod_spec) for row in _variables(snapshot, item, container))
    found = {name: config for name, text, config in variables if text == value}
    if len(found) != 1:
        return None
    ((name, config),) = found.items()
    return name, ObjectRef(kind="ConfigMap", namespace=item.namespace, name=config) if config else item.ref


def _variables(snapshot: ClusterSnapshot, item: KubeObject, container: Json) -> Iterator[tuple[str, str, str]]:
    """Name and value of each variable of a container that is told, and the ConfigMap that it is from, empty for none."""
    for row in mappings_of(container.get("env")):
        named = mapping_of(dig(row, "valueFrom", "configMapKeyRef"))
        if row.get("value"):
            yield str(row.get("name")), str(row["value"]), ""
        elif named:
            value = str(_config_of(snapshot, item, named.get("name")).get(str(named.get("key"))) or "")
            yield str(row.get("name")), value, str(named.get("name"))
    for row in mappings_of(container.get("envFrom")):
        name = dig(row, "configMapRef", "name")
        for key, value in _config_of(snapshot, item, name).items():
            yield str(row.get("prefix") or "") + str(key), str(value), str(name)


def _own_words(item: KubeObject) -> Iterator[str]:
    for container in containers_of(item.pod_spec):
        yield from words_of(container)
        yield from (str(row["value"]) for row in mappings_of(container.get("env")) if row.get("value"))


def _configs_of(snapshot: ClusterSnapshot, item: KubeObject) -> Iterator[KubeObject]:
    names = [dig(volume, "configMap", "name") for volume in mappings_of(item.pod_spec.get("volumes"))]
    for container in containers_of(item.pod_spec):
        names += [dig(row, "configMapRef", "name") for row in mappings_of(container.get("envFrom"))]
        names += [dig(row, "valueFrom", "configMapKeyRef", "name") for row in mappings_of(container.get("env"))]
    for name in dict.fromkeys(str(name) for name in names if name):
        found = snapshot.find("ConfigMap", item.namespace, name)
        if found is not None:
            yield found


def _config_of(snapshot: ClusterSnapshot, item: KubeObject, name: object) -> Json:
    found = snapshot.find("ConfigMap", item.namespace, str(name)) if name else None
    return mapping_of(found.raw.get("data")) if found is not None else {}


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
