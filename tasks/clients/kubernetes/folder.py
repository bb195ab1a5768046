"""A folder with the state of a cluster, whoever wrote it.

Known are: `kubectl cluster-info dump --output-directory` (lists as JSON or YAML per namespace, `logs.txt` per pod), the
folder that `healflow snapshot` writes (lists per kind, a log per container), recorded outputs of kubectl as text, and
plain manifests, which say what should be. Files are told apart by what they say, not by their names.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tasks.clients.kubernetes.documents import add_documents
from tasks.clients.kubernetes.gathering import Gathering
from tasks.clients.kubernetes.recorded import add_recorded
from tasks.clients.kubernetes.writing import ABOUT, read_about
from tasks.domain.cluster import ClusterSnapshot
from tasks.errors import BadInputError

MAX_FILES = 50_000
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_LOG_BYTES = 4 * 1024 * 1024
"""Of a log only its end is read."""
_START = re.compile(r"^==== START logs for container (?P<container>\S+) of pod (?P<namespace>[^/]+)/(?P<pod>\S+) ====$")
_END = re.compile(r"^==== END logs for container ")
_ASSUMED = ("ConfigMap", "Secret", "Service", "PersistentVolumeClaim", "ServiceAccount", "Role", "ClusterRole")
"""What a folder of manifests is expected to bring along itself."""


def read_snapshot_folder(folder: Path) -> ClusterSnapshot:
    """Read every file of the folder that says something about a cluster.

    Raises:
        BadInputError: it is no folder, or nothing in it does.
    """
    if not folder.is_dir():
        raise BadInputError(
            f"{folder} is no folder; name one written by 'kubectl cluster-info dump --output-directory'"
        )
    into = Gathering()
    found = False
    for path in _files(folder):
        if path != folder / ABOUT:
            found = _add_file(path, folder, into) or found
    snapshot = read_about(folder, into.snapshot())
    if not found or not (snapshot.objects or snapshot.logs or snapshot.texts or snapshot.events or snapshot.unreadable):
        raise BadInputError(f"{folder} holds no Kubernetes objects, events or logs")
    if snapshot.desired_only:
        return snapshot.model_copy(update={"listed_kinds": snapshot.listed_kinds | frozenset(_ASSUMED)})
    return snapshot


def _files(folder: Path) -> Iterator[Path]:
    """Files only, and no link that leads out of the folder."""
    seen, inside = 0, folder.resolve()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            seen += 1
            if seen > MAX_FILES:
                raise BadInputError(f"{folder} holds more than {MAX_FILES:,} files; name the snapshot's own folder")
            path = Path(place) / name
            if path.is_file() and path.resolve().is_relative_to(inside):
                yield path


def _add_file(path: Path, folder: Path, into: Gathering) -> bool:
    source = str(path.relative_to(folder))
    try:
        if path.suffix in (".log", ".txt"):
            return _add_text(path, source, into)
        if path.suffix in (".json", ".yaml", ".yml"):
            if path.stat().st_size > MAX_FILE_BYTES:
                into.cannot_read(source, "larger than 512 MB")
                return True
            return add_documents(path.read_text(encoding="utf-8", errors="replace"), into, source)
    except OSError as error:
        into.cannot_read(source, error.strerror or str(error))
        return True
    return False


def _add_text(path: Path, source: str, into: Gathering) -> bool:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - MAX_LOG_BYTES))
        text = stream.read().decode("utf-8", errors="replace")
    parts = Path(source).parts
    if parts[0] == "logs" and len(parts) == 4 and path.suffix == ".log":
        container = path.stem.removesuffix(".previous")
        into.add_log(parts[1], parts[2], container, text.splitlines(), previous=path.stem.endswith(".previous"))
        return True
    if path.name == "logs.txt" or _START.match(text.split("\n", 1)[0]):
        _add_dumped_logs(text.splitlines(), parts, into)
        return True
    return add_recorded(text, source, into)


def _add_dumped_logs(lines: list[str], parts: tuple[str, ...], into: Gathering) -> None:
    """`logs.txt` of a dump: the containers of one pod one after another, between marks."""
    namespace, pod, container = (parts[-3], parts[-2], "") if len(parts) >= 3 else ("default", parts[0], "")
    block: list[str] = []
    for line in lines:
        if found := _START.match(line):
            namespace, pod, container, block = found["namespace"], found["pod"], found["container"], []
        elif _END.match(line):
            into.add_log(namespace, pod, container, block)
            block = []
        else:
            block.append(line)
    into.add_log(namespace, pod, container, block)
