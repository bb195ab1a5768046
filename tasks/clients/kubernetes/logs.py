"""Log files of a folder: read as streams, packed or plain, and given to the workload that they can only be of."""

import gzip
import lzma
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tasks.clients.kubernetes.gathering import MAX_LOG_LINES, Gathering
from tasks.domain.base import Noun
from tasks.domain.cluster import KubeObject, mappings_of
from tasks.domain.log_digest import LogDigest, digest_log

MAX_LOG_BYTES = 256 * 1024 * 1024
"""So much of the end of a log is looked through; of a packed one, so much of its beginning, unpacked."""
PACKED: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".xz": lzma.open}


class LooseLog(Noun):
    """A log of which its place does not tell whose it is."""

    source: str
    digest: LogDigest


@contextmanager
def open_log(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a log."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - MAX_LOG_BYTES))
        yield _decoded(stream)


def read_packed(path: Path, source: str) -> LooseLog:
    """A log packed by gzip or xz.

    Raises:
        OSError, EOFError, lzma.LZMAError: it is not packed so, or breaks off.
    """
    with PACKED[path.suffix](path, "rb") as stream:
        return LooseLog(source=source, digest=digest_log(_decoded(stream), keep=MAX_LOG_LINES))


def _decoded(stream: Iterable[bytes]) -> Iterator[str]:
    read = 0
    for line in stream:
        read += len(line)
        if read > MAX_LOG_BYTES:
            return
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def give_to_workloads(loose: list[LooseLog], into: Gathering) -> None:
    """Each log goes to the workload that its file is named after, or to the only one that there is."""
    makers = into.snapshot().templates() if loose else []
    for log in loose:
        chosen = _owner(log.source, makers)
        if chosen is None:
            into.cannot_read(log.source, "whose log it is cannot be told; name it logs/NAMESPACE/POD/CONTAINER.log")
            continue
        rows = mappings_of(chosen.pod_spec.get("containers"))
        into.add_digest(chosen.namespace, chosen.name, str(rows[0].get("name")) if rows else "", log.digest)


def _owner(source: str, makers: list[KubeObject]) -> KubeObject | None:
    named = [item for item in makers if Path(source).name.startswith((item.name + ".", item.name + "-"))]
    found = named or makers
    return found[0] if len(found) == 1 else None
