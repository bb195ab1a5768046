"""Where pods listen, as their specifications tell, and the ports of a Service that lead to nothing; pure."""

import re
from collections.abc import Iterable, Iterator

from tasks.domain.base import Noun
from tasks.domain.cluster import Json, KubeObject, dig, mappings_of

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")

_TOLD = re.compile(
    r"(?:--(?:http-|listen-|bind-|server\.)?port[= ]|\bhttp\.server |\bhttpd\b[^;&|]*? -p ?"
    r"|\bnc\b[^;&|]*? -l\S* (?:-p )?"
    r"|(?:--(?:bind|listen|http|address|addr|web\.listen-address)[= ]|\brunserver |\b-b )\S*:)(?P<port>\d{2,5})\b"
)
_PORT_NAMES = ("PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT", "APP_PORT", "GRPC_PORT")


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
    """The gaps between a Service and the pods (or their makers) that it selects. Where they declare no port, a number
    is none, as a declaration is not needed to listen; a name is, as there is nothing that it could stand for.
    """
    containers = [row for item in pods for row in mappings_of(item.pod_spec.get("containers"))]
    declared = [row for container in containers for row in mappings_of(container.get("ports"))]
    names = {row.get("name") for row in declared}
    numbers = {row.get("containerPort") for row in declared} | set(probed_ports(containers))
    for row in mappings_of(service.spec.get("ports")):
        wanted = row.get("targetPort") or row.get("port")
        if isinstance(wanted, str) and wanted.isdigit():
            wanted = int(wanted)
        if not isinstance(wanted, int | str) or wanted in numbers or wanted in names:
            continue
        if not declared and isinstance(wanted, int):
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


def told_ports(container: Json) -> frozenset[int]:
    """The ports that a container's command and environment tell it to serve on; it may serve on others too."""
    words: list[str] = []
    for key in ("command", "args"):
        value = container.get(key)
        words += [str(word) for word in value] if isinstance(value, list) else []
    found = {int(row["port"]) for row in _TOLD.finditer(" ".join(words))}
    values = (row.get("value") for row in mappings_of(container.get("env")) if row.get("name") in _PORT_NAMES)
    return frozenset(found | {int(str(value)) for value in values if value and str(value).isdigit()})


def unheard_ports(spec: Json, pods: Iterable[KubeObject]) -> tuple[int, tuple[int, ...]] | None:
    """The number that a Service sends to and those that its pods are told to serve on, where they are others and the
    pods declare none; `None` when it may well be right.
    """
    specs = [mappings_of(item.pod_spec.get("containers")) for item in pods]
    if any(len(rows) != 1 or rows[0].get("ports") for rows in specs):
        return None
    told = frozenset(port for rows in specs for port in (*told_ports(rows[0]), *probed_ports(rows)))
    wanted = [row.get("targetPort") or row.get("port") for row in mappings_of(spec.get("ports"))]
    numbers = [port for port in wanted if isinstance(port, int)]
    if not told or not numbers or any(port in told for port in numbers):
        return None
    return numbers[0], tuple(sorted(told))
