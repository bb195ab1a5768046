"""A folder with the state of a cluster, whoever wrote it.

Known are: `kubectl cluster-info dump --output-directory` (lists as JSON or YAML per namespace, `logs.txt` per pod), the
folder that `healflow snapshot` writes (lists per kind, a log per container), recorded outputs of kubectl as text, and
plain manifests, which say what should be. Files are told apart by what they say, not by their names.
"""

import json
import lzma
import os
import re
from collections.abc import Iterator
from itertools import chain, takewhile
from pathlib import Path

from tasks.clients.kubernetes.documents import add_documents
from tasks.clients.kubernetes.gathering import MAX_LOG_LINES, Gathering
from tasks.clients.kubernetes.logs import PACKED, LooseLog, give_to_workloads, open_log, read_packed
from tasks.clients.kubernetes.recorded import add_recorded
from tasks.clients.kubernetes.writing import ABOUT, DIGEST, read_about
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.log_digest import LogDigest, digest_log
from tasks.errors import BadInputError

MAX_FILES = 50_000
MAX_FILE_BYTES = 512 * 1024 * 1024
MAX_TEXT_BYTES = 4 * 1024 * 1024
"""Of a recorded output only its end is read."""
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
    loose: list[LooseLog] = []
    found = False
    for path in _files(folder):
        if path != folder / ABOUT and not path.name.endswith(DIGEST):
            found = _add_file(path, folder, into, loose) or found
    give_to_workloads(loose, into)
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


def _add_file(path: Path, folder: Path, into: Gathering, loose: list[LooseLog]) -> bool:
    source = str(path.relative_to(folder))
    try:
        if path.suffix in PACKED and path.with_suffix("").suffix in (".log", ".txt"):
            loose.append(read_packed(path, source))
            return True
        if path.suffix in (".log", ".txt"):
            return _add_text(path, source, into, loose)
        if path.suffix in (".json", ".yaml", ".yml"):
            if path.stat().st_size > MAX_FILE_BYTES:
                into.cannot_read(source, "larger than 512 MB")
                return True
            return add_documents(path.read_text(encoding="utf-8", errors="replace"), into, source)
    except (OSError, EOFError, lzma.LZMAError) as error:
        into.cannot_read(source, getattr(error, "strerror", None) or str(error))
        return True
    return False


def _add_text(path: Path, source: str, into: Gathering, loose: list[LooseLog]) -> bool:
    parts = Path(source).parts
    with open_log(path) as lines:
        first = next(lines, "")
        if parts[0] == "logs" and len(parts) == 4 and path.suffix == ".log":
            container, before = path.stem.removesuffix(".previous"), path.stem.endswith(".previous")
            digest = _with_saved(path, digest_log(chain([first], lines), keep=MAX_LOG_LINES), source, into)
            into.add_digest(parts[1], parts[2], container, digest, previous=before)
            return True
        if path.name == "logs.txt" or _START.match(first):
            _add_dumped_logs(chain([first], lines), parts, into)
            return True
    if add_recorded(_end_of(path), source, into):
        return True
    if path.suffix == ".log":
        with open_log(path) as lines:
            loose.append(LooseLog(source=source, digest=digest_log(lines, keep=MAX_LOG_LINES)))
        return True
    return False


def _with_saved(path: Path, ending: LogDigest, source: str, into: Gathering) -> LogDigest:
    """The end of a log with what is known of the whole of it, where that was saved too."""
    beside = path.with_suffix(DIGEST)
    try:
        saved = json.loads(beside.read_text(encoding="utf-8"))
        return LogDigest.model_validate({**saved, "tail": ending.tail})
    except FileNotFoundError:
        return ending
    except (OSError, ValueError, TypeError) as error:
        into.cannot_read(source, f"{beside.name} beside it is not the digest of a log ({type(error).__name__})")
        return ending


def _end_of(path: Path) -> str:
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - MAX_TEXT_BYTES))
        return stream.read().decode("utf-8", errors="replace")


def _add_dumped_logs(lines: Iterator[str], parts: tuple[str, ...], into: Gathering) -> None:
    """`logs.txt` of a dump: the containers of one pod one after another, between marks."""
    namespace, pod = (parts[-3], parts[-2]) if len(parts) >= 3 else ("default", parts[0])
    for line in lines:
        if found := _START.match(line):
            inside = takewhile(lambda text: _END.match(text) is None, lines)
            into.add_log(found["namespace"], found["pod"], found["container"], inside)
        elif line.strip():
            into.add_log(namespace, pod, "", chain([line], lines))
