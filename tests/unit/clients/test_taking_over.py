"""What a heal set otherwise than by an apply is taken over by one; what anybody else has is not, not even in a race."""

import json
from typing import Any

import pytest

from tasks.clients.kubernetes import Cluster, apply_over_own
from tasks.clients.kubernetes.connection import Connection, Query, _refusal
from tasks.errors import FieldConflictError, TransientError

OURS, THEIRS = "healflow", "somebody"
Data = dict[str, str]


class FakeFields(Connection):
    """One ConfigMap whose keys have owners, applied to as the real API server does; `race` runs before each forced
    apply."""

    def __init__(self, **keys: tuple[str, str]) -> None:
        self.name = "fake"
        self.data: Data = {key: value for key, (value, _) in keys.items()}
        self.patchers = {key: {owner} for key, (_, owner) in keys.items()}
        self.version, self.forced = 7, 0
        self.race: Any = lambda: None

    def change(self, key: str, value: str, by: str) -> None:
        """As somebody who patches does."""
        self.data[key], self.patchers[key] = value, {by}
        self.version += 1

    def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None, **_rest: Any
    ) -> dict[str, Any]:
        """Answer a read or an apply of ours."""
        asked = query or {}
        if method == "GET":
            return self._told()
        if asked.get("force"):
            self.forced += 1
            self.race()
        else:
            self._require_no_conflict(path, body)
        if body["metadata"].get("resourceVersion") not in (None, str(self.version)):
            raise _refusal(method, path, 409, json.dumps({"message": "the object has been modified"}).encode(), None)
        if not asked.get("dryRun"):
            self.data |= body["data"]
            self.patchers |= {key: set() for key in body["data"]}
            self.version += 1
        return self._told()

    def _require_no_conflict(self, path: str, body: Any) -> None:
        causes = [
            {"reason": "FieldManagerConflict", "message": f'conflict with "{owner}" using v1', "field": f".data.{key}"}
            for key, value in body["data"].items()
            if self.data.get(key, value) != value
            for owner in sorted(self.patchers[key])
        ]
        if causes:
            answer = {"message": f"Apply failed with {len(causes)} conflicts", "details": {"causes": causes}}
            raise _refusal("PATCH", path, 409, json.dumps(answer).encode(), None)

    def _told(self) -> dict[str, Any]:
        metadata = {"name": "prices", "namespace": "shop", "resourceVersion": str(self.version)}
        return {"metadata": metadata, "data": dict(self.data)}


def release(**data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "prices", "namespace": "shop"},
        "data": data,
    }


def test_field_that_a_heal_changed_is_taken_over_and_told() -> None:
    server = FakeFields(tax=("7", OURS))
    done = apply_over_own(Cluster(server), release(tax="19"))
    assert (server.data, done.taken) == ({"tax": "19"}, (".data.tax",))


@pytest.mark.parametrize("name", [THEIRS, "healflow-of-somebody", 'healflow\\" using v1'])
def test_field_of_another_manager_is_not_taken(name: str) -> None:
    server = FakeFields(tax=("7", name))
    with pytest.raises(FieldConflictError):
        apply_over_own(Cluster(server), release(tax="19"))
    assert (server.data, server.forced) == ({"tax": "7"}, 0)


def test_own_field_is_not_taken_along_with_a_foreign_one() -> None:
    server = FakeFields(tax=("7", OURS), vat=("7", THEIRS))
    with pytest.raises(FieldConflictError, match="2 conflicts"):
        apply_over_own(Cluster(server), release(tax="19", vat="1"))
    assert (server.data, server.forced) == ({"tax": "7", "vat": "7"}, 0)


def test_field_that_somebody_has_together_with_us_is_not_taken() -> None:
    server = FakeFields(tax=("7", OURS))
    server.patchers["tax"] = {OURS, THEIRS}
    with pytest.raises(FieldConflictError):
        apply_over_own(Cluster(server), release(tax="19"))
    assert server.forced == 0


def test_field_that_somebody_takes_in_between_is_not_taken() -> None:
    server = FakeFields(tax=("7", OURS))
    server.race = lambda: server.change("tax", "0", THEIRS)
    with pytest.raises(FieldConflictError):
        apply_over_own(Cluster(server), release(tax="19"))
    assert (server.data, server.forced) == ({"tax": "0"}, 1)


def test_object_that_changes_without_end_is_left_as_it_is() -> None:
    server = FakeFields(tax=("7", OURS), beat=("0", THEIRS))
    server.race = lambda: server.change("beat", str(server.version), THEIRS)
    with pytest.raises(TransientError, match="ConfigMap/prices changes while"):
        apply_over_own(Cluster(server), release(tax="19"))
    assert server.data["tax"] == "7"


def test_dry_run_keeps_nothing() -> None:
    server = FakeFields(tax=("7", OURS))
    assert apply_over_own(Cluster(server), release(tax="19"), dry_run=True).taken == (".data.tax",)
    assert server.data == {"tax": "7"}
