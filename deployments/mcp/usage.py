"""What pods and nodes use now, out of the metrics API, as tables."""

from collections.abc import Sequence

from deployments.mcp.text import table_text
from tasks.domain.cluster import Json, KubeObject, dig, mapping_of, mappings_of
from tasks.domain.quantity import amount

_MEBI = 2.0**20


def pod_usage(pods: Sequence[KubeObject], limit: int) -> str:
    """One row for each container, the greatest memory first."""
    rows = [
        (pod.namespace, pod.name, str(row.get("name")), *_used(mapping_of(row.get("usage"))))
        for pod in pods
        for row in mappings_of(pod.raw.get("containers"))
    ]
    rows.sort(key=lambda row: -row[4])
    told = [(*row[:3], f"{row[3] * 1000:.0f}m", f"{row[4] / _MEBI:.0f}Mi") for row in rows[:limit]]
    more = f"\n[{len(rows) - limit} more are not shown]" if len(rows) > limit else ""
    return (
        table_text(("NAMESPACE", "POD", "CONTAINER", "CPU", "MEMORY"), told) + more if told else "nothing is measured"
    )


def node_usage(measured: Sequence[KubeObject], nodes: Sequence[KubeObject]) -> str:
    """One row for each node; what was not measured is a dash."""
    used = {item.name: _used(mapping_of(item.raw.get("usage"))) for item in measured}
    rows = []
    for node in nodes:
        gives = _used(mapping_of(dig(node.raw, "status", "allocatable")))
        cpu, memory = used.get(node.name, (None, None))
        rows.append(
            (
                node.name,
                "-" if cpu is None else f"{cpu * 1000:.0f}m",
                _share(cpu, gives[0]),
                "-" if memory is None else f"{memory / _MEBI:.0f}Mi",
                _share(memory, gives[1]),
            )
        )
    return table_text(("NODE", "CPU", "CPU%", "MEMORY", "MEMORY%"), rows)


def _used(usage: Json) -> tuple[float, float]:
    return amount(usage.get("cpu")) or 0.0, amount(usage.get("memory")) or 0.0


def _share(part: float | None, whole: float) -> str:
    return "-" if part is None or not whole else f"{part / whole:.0%}"
