"""An API server in this process that keeps objects and behaves: JSON patches with tests, dry runs, uid preconditions."""

import copy
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.connection import APPLY_PATCH, Connection
from tasks.clients.kubernetes.kinds import KINDS
from tasks.errors import BadInputError, ConflictError, NotFoundError

Raw = dict[str, Any]
WRITES = ("POST", "PATCH", "PUT", "DELETE")


class FakeConnection(Connection):
    """What a connection answers, from a store of objects by path; `writes` are the changes that were kept."""

    def __init__(self, *objects: Raw) -> None:  # the base would open a socket
        self.name = "fake"
        self.objects: dict[str, Raw] = {}
        self.writes: list[tuple[str, str]] = []
        self.dry_runs: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)
        for raw in objects:
            self.keep(raw)

    def keep(self, raw: Raw) -> str:
        """Have an object, as if it had been there before; returns its path."""
        metadata = raw["metadata"]
        path = KINDS[raw["kind"]].path(metadata.get("namespace", ""), metadata["name"])
        number = next(self._numbers)
        kept = {**raw, "metadata": {"uid": f"uid-{number}", "resourceVersion": str(number), **metadata}}
        self.objects[path] = copy.deepcopy(kept)
        return path

    def close(self) -> None:
        """Nothing to give back."""

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | bool] | None = None,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        """One call."""
        told: Any = copy.deepcopy(body)
        dry = bool((query or {}).get("dryRun")) or (isinstance(told, dict) and bool(told.get("dryRun")))
        before = copy.deepcopy(self.objects)
        answer = getattr(self, f"_{method.lower()}")(path, told, content_type)
        if method in WRITES:
            (self.dry_runs if dry else self.writes).append((method, path))
            if dry:
                self.objects = before
        return copy.deepcopy(answer)

    def _get(self, path: str, _body: Any, _type: str) -> Raw:
        if path in self.objects:
            return self.objects[path]
        if path.rsplit("/", 1)[-1] in {row.plural for row in KINDS.values()}:
            return {"items": [raw for place, raw in self.objects.items() if place.rsplit("/", 1)[0] == path]}
        raise NotFoundError(f"GET {path}: not found")

    def _post(self, path: str, body: Raw, _type: str) -> Raw:
        place = f"{path}/{body['metadata']['name']}"
        if place in self.objects:
            raise ConflictError(f"POST {place}: already exists")
        if body["metadata"].get("resourceVersion"):
            raise BadInputError("resourceVersion should not be set on objects to be created")
        self.keep({**body, "metadata": {k: v for k, v in body["metadata"].items() if k != "uid"}})
        return self.objects[place]

    def _delete(self, path: str, body: Raw, _type: str) -> Raw:
        raw = self._get(path, None, "")
        if body["preconditions"]["uid"] != raw["metadata"]["uid"]:
            raise ConflictError(f"DELETE {path}: the UID in the precondition is another one")
        if body["preconditions"].get("resourceVersion") not in (None, raw["metadata"]["resourceVersion"]):
            raise ConflictError(f"DELETE {path}: the ResourceVersion in the precondition is another one")
        del self.objects[path]
        return {}

    def _patch(self, path: str, body: Any, content_type: str) -> Raw:
        if content_type == APPLY_PATCH:
            raise BadInputError("this server has no server-side apply")
        changed = copy.deepcopy(self._get(path, None, ""))
        for row in body:
            _step(changed, row)
        if "generation" in changed["metadata"] and changed != self.objects[path]:
            changed["metadata"]["generation"] += 1
        self.objects[path] = changed
        return changed


def _step(document: Any, row: Mapping[str, Any]) -> None:
    *parents, last = [step.replace("~1", "/").replace("~0", "~") for step in str(row["path"]).split("/")[1:]]
    try:
        for key in parents:
            document = document[int(key)] if isinstance(document, list) else document[key]
        place: Any = int(last) if isinstance(document, list) else last
        there = document[place] if row["op"] != "add" else None
    except (KeyError, IndexError) as error:
        raise ConflictError(f"there is nothing at {row['path']}") from error
    if row["op"] == "test" and there != row["value"]:
        raise ConflictError(f"the test of {row['path']} fails")
    if row["op"] == "remove":
        del document[place]
    elif row["op"] in ("add", "replace"):
        document[place] = row["value"]


def fake_cluster(*objects: Raw) -> tuple[Cluster, FakeConnection]:
    """A cluster that holds these objects, and its server."""
    connection = FakeConnection(*objects)
    return Cluster(connection), connection
