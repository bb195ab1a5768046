"""An API server that keeps objects and takes JSON patches as the real one does: tests hold, dry runs keep nothing."""

import copy
from collections.abc import Mapping
from typing import Any

from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.connection import Connection, Query
from tasks.clients.kubernetes.kinds import KINDS
from tasks.errors import ConflictError, NotFoundError

Raw = dict[str, Any]


class FakeApiServer(Connection):
    """Holds objects by their path; `writes` are the patches that were kept."""

    def __init__(self, *objects: Raw) -> None:
        self.name = "fake"
        self.objects: dict[str, Raw] = {}
        self.writes: list[str] = []
        for raw in objects:
            self.put(raw)

    def put(self, raw: Raw) -> None:
        """Make or replace an object."""
        metadata = raw["metadata"]
        self.objects[KINDS[raw["kind"]].path(metadata["namespace"], metadata["name"])] = copy.deepcopy(raw)

    def cluster(self) -> Cluster:
        """A client of it."""
        return Cluster(self)

    def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None, **_rest: Any
    ) -> dict[str, Any]:
        """Answer a read, a list or a JSON patch."""
        if method == "GET" and path not in self.objects and path.rpartition("/")[2] in _PLURALS:
            found = [raw for key, raw in self.objects.items() if key.rpartition("/")[0] == path]
            return {"items": copy.deepcopy(found), "metadata": {}}
        if path not in self.objects:
            raise NotFoundError(f"{path} is not found")
        if method == "GET":
            return copy.deepcopy(self.objects[path])
        changed = _patched(self.objects[path], body)
        if not (query or {}).get("dryRun"):
            if changed.get("spec") != self.objects[path].get("spec"):
                changed["metadata"]["generation"] += 1
            self.objects[path] = changed
            self.writes.append(path)
        return copy.deepcopy(changed)


_PLURALS = frozenset(row.plural for row in KINDS.values())


def _patched(raw: Raw, operations: list[Mapping[str, Any]]) -> Raw:
    document = copy.deepcopy(raw)
    for row in operations:
        *way, last = [step.replace("~1", "/").replace("~0", "~") for step in row["path"].split("/")[1:]]
        holder: Any = document
        for step in way:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        key: Any = int(last) if isinstance(holder, list) else last
        if row["op"] == "test":
            there = holder[key] if isinstance(holder, list) else holder.get(key)
            if there != row["value"]:
                raise ConflictError(f"the test of {row['path']} fails")
        elif row["op"] == "remove":
            del holder[key]
        else:
            holder[key] = copy.deepcopy(row["value"])
    return document
