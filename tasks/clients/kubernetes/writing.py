"""Writes a snapshot as a folder that `read_snapshot_folder` reads back: lists per kind, the end of a log per container
with the digest of all of it, and what was and was not read. The snapshot has to be redacted before.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.domain.cluster import ClusterEvent, ClusterSnapshot
from tasks.domain.evidence import UnreadableSource
from tasks.domain.log_digest import ContainerLog, LogDigest
from tasks.errors import BadInputError

ABOUT = "healflow-snapshot.json"
"""The file that says what the others cannot: when, by which version, of which namespaces, and what is missing."""

DIGEST = ".digest.json"
"""What a log's file is called whose lines are the digest of all that was read of it: it stands beside the kept end."""


def write_snapshot_folder(snapshot: ClusterSnapshot, folder: Path, *, version: str) -> None:
    """Write it, readable for its owner only; the folder is made, or has to be empty.

    Raises:
        BadInputError: the folder holds something, or cannot be written.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise BadInputError(f"{folder} is not empty; name a folder that is not there yet")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for kind in sorted(snapshot.listed_kinds | {item.kind for item in snapshot.objects} - {"Event"}):
            _write(folder / f"{kind}.json", _listed(kind, [item.raw for item in snapshot.of_kind(kind)]))
        _write(folder / "Event.json", _listed("Event", [_event(event) for event in snapshot.events]))
        for log in snapshot.logs:
            _write_log(folder, log)
        _write(folder / ABOUT, _about(snapshot, version))
    except OSError as error:
        raise BadInputError(f"{folder} cannot be written ({error.strerror}); name another folder") from error


def read_about(folder: Path, snapshot: ClusterSnapshot) -> ClusterSnapshot:
    """The snapshot with what its `healflow-snapshot.json` says, when it has a valid one."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return snapshot.model_copy(
            update={
                "captured_at": datetime.fromisoformat(about["captured_at"]) if about["captured_at"] else None,
                "namespaces": frozenset(map(str, about["namespaces"])),
                "listed_kinds": frozenset(map(str, about["listed_kinds"])),
                "unreadable": (
                    *snapshot.unreadable,
                    *(UnreadableSource(source=str(row[0]), reason=str(row[1])) for row in about["unreadable"]),
                ),
            }
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return snapshot


def _about(snapshot: ClusterSnapshot, version: str) -> dict[str, Any]:
    return {
        "writtenBy": f"healflow {version}",
        "captured_at": snapshot.captured_at.isoformat() if snapshot.captured_at else None,
        "namespaces": sorted(snapshot.namespaces),
        "listed_kinds": sorted(snapshot.listed_kinds),
        "unreadable": [[source.source, source.reason] for source in snapshot.unreadable],
    }


def _listed(kind: str, items: list[Any]) -> dict[str, Any]:
    return {"kind": f"{kind}List", "apiVersion": "v1", "items": items}


def _event(event: ClusterEvent) -> dict[str, Any]:
    namespace, _, name = event.id.partition("/")
    about = {"kind": event.about.kind, "namespace": event.about.namespace, "name": event.about.name}
    seen = datetime.fromtimestamp(event.seen_at, tz=UTC).isoformat() if event.seen_at else None
    return {
        "kind": "Event",
        "metadata": {"namespace": namespace, "name": name},
        "involvedObject": about,
        "reason": event.reason,
        "message": event.message,
        "type": "Warning" if event.warning else "Normal",
        "count": event.count,
        "lastTimestamp": seen,
    }


def _write_log(folder: Path, log: ContainerLog) -> None:
    place = folder / "logs" / log.namespace / log.pod
    place.mkdir(parents=True, exist_ok=True)
    name = f"{log.container}.previous.log" if log.previous else f"{log.container}.log"
    path = place / name
    path.write_text("\n".join(log.lines) + "\n", encoding="utf-8")
    digest = LogDigest(
        tail=(),
        first_line_number=log.first_line_number,
        line_count=log.line_count,
        complaints=log.complaints,
        pace=log.pace,
        growth=log.growth,
    )
    path.with_suffix(DIGEST).write_text(digest.model_dump_json(exclude={"tail"}), encoding="utf-8")


def _write(path: Path, value: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        json.dump(value, stream, separators=(",", ":"))
