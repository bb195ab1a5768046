"""Where pods listen, as their specifications tell, and the ports of a Service that lead to nothing; pure."""

from collections.abc import Iterable, Iterator

from tasks.domain.base import Noun
from tasks.domain.cluster import Json, KubeObject, dig, mappings_of

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


class PortGap(Noun):
    """A port of a Service that sends to one on which its pods do not say that they listen."""

    port: int | str
    wanted: int | str
    """Its target: a number, or the name of a port."""
    listens: tuple[int, ...]
    """The ports that the pods declare or are probed on."""
    named: bool
    """Whether the target is a name: one that no pod has leads nowhere for sure."""


def port_gaps(service: KubeObject, pods: Iterable[KubeObject]) -> Iterator[PortGap]:
    """The gaps between a Service and the pods (or their makers) that it selects; none where they declare no port, as a
    declaration is not needed to listen.
    """
    containers = [row for item in pods for row in mappings_of(item.pod_spec.get("containers"))]
    declared = [row for container in containers for row in mappings_of(container.get("ports"))]
    if not declared:
        return
    names = {row.get("name") for row in declared}
    numbers = {row.get("containerPort") for row in declared} | set(probed_ports(containers))
    for row in mappings_of(service.spec.get("ports")):
        wanted = row.get("targetPort") or row.get("port")
        if isinstance(wanted, str) and wanted.isdigit():
            wanted = int(wanted)
        if not isinstance(wanted, int | str) or wanted in numbers or wanted in names:
            continue
        listens = tuple(sorted(number for number in numbers if isinstance(number, int)))
        port = row.get("port")
        yield PortGap(
            port=port if isinstance(port, int | str) else "",
            wanted=wanted,
            listens=listens,
            named=isinstance(wanted, str),
        )


def probed_ports(containers: Iterable[Json]) -> Iterator[int]:
    """The ports by number that probes ask."""
    for container in containers:
        for field in PROBES:
            for how in ("httpGet", "tcpSocket", "grpc"):
                port = dig(container, field, how, "port")
                if isinstance(port, int):
                    yield port
