"""Programs that are told to use more memory than their container may have."""

import re
from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import containers_of, spec_quote, variables_of, words_of
from tasks.domain.cluster import ClusterSnapshot, Json, dig
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.quantity import amount

_ENDLESS = re.compile(
    r"\btail /dev/zero|\bcat /dev/zero\b(?!.*\|\s*head)|stress(?:-ng)?\b(?!.*--vm-bytes).*--vm\b|:\(\)\s*\{"
)
_HEAP = re.compile(
    r"-Xmx(?P<xmx>\d+[kKmMgG])\b|--max-old-space-size=(?P<node>\d+)|--vm-bytes[= ](?P<stress>\d+[kKmMgG]?)B?\b|--maxmemory[= ](?P<redis>\d+[kmg]b)",
    re.I,
)
_SIZE = re.compile(r"^(?P<number>\d+(?:\.\d+)?)(?P<unit>Ki|Mi|Gi|Ti|[kKMG]B?)$")


def find_memory_wishes(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """From manifests alone: what is running tells by itself."""
    if not snapshot.desired_only:
        return
    for item in snapshot.templates():
        for container in containers_of(item.pod_spec):
            limit = amount(dig(container, "resources", "limits", "memory"))
            why = _too_much(container, limit) if limit else ""
            if why:
                yield Clue(
                    failure_class=F.K8S_OOM,
                    rule="cluster-memory-wish",
                    cause=f"{item.ref}: container {container.get('name')} {why}: it will be killed out of memory (OOMKilled).",
                    target=item.ref,
                    quotes=(
                        spec_quote(
                            item,
                            f"limits.memory: {dig(container, 'resources', 'limits', 'memory')}; {' '.join(words_of(container))[:300]}",
                        ),
                    ),
                    confidence=0.65,
                    rank=25,
                )


def _too_much(container: Json, limit: float) -> str:
    said = words_of(container) + [str(row.get("value") or "") for row in variables_of(container).values()]
    joined = " ".join(said)
    if _ENDLESS.search(joined):
        return "takes memory without end"
    heap = _HEAP.search(joined)
    if (
        heap is not None
        and (wanted := _bytes(next(value for value in heap.groupdict().values() if value), node=bool(heap["node"])))
        and wanted >= limit
    ):
        return f"is told to use {heap[0]}, as much as its limit or more"
    sizes = [(word, _bytes(word)) for word in words_of(container) if _SIZE.match(word)]
    largest = max(sizes, key=lambda row: row[1] or 0.0, default=("", None))
    return f"is told to use {largest[0]}, as much as its limit or more" if largest[1] and largest[1] >= limit else ""


def _bytes(text: str, *, node: bool = False) -> float | None:
    text = text.removesuffix("B").removesuffix("b")
    if node:
        return float(text) * 2**20
    unit = text[-1] if not text[-1].isdigit() else ""
    return amount(
        text
        if text.endswith("i")
        else text[: -1 or None] + unit.upper().replace("K", "Ki").replace("M", "Mi").replace("G", "Gi")
        if unit
        else text
    )
