"""GitHub's published example payloads, and random damage to valid ones: only three things may come out."""

import copy
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tasks.domain.incident import Ignored, Signal, open_incident
from tasks.errors import BadInputError
from tasks.intake import parse_github
from tests.unit.intake.payloads import DELIVERY, NOW, check_run, local_run, workflow_run

PROJECT = Path(__file__).resolve().parents[3]
WEBHOOKS = Path(os.environ.get("HEALFLOW_SHARED_DATA", PROJECT.parent / "shared" / "data")) / "octokit" / "webhooks"
JUNK: list[Any] = [
    None, True, False, 0, -1, 10**30, 1.5, float("nan"), "", "x" * 5000, "\x00\x1b[2J", "\ud800", "../../x",
    "completed", "failure", "local/x", "healflow-local:x", "healflow/x", [], [None], [[]], {}, {"id": "x"},
]  # fmt: skip


@pytest.mark.skipif(not WEBHOOKS.is_dir(), reason="GitHub's example payloads are not here: set HEALFLOW_SHARED_DATA")
def test_every_published_payload_is_a_signal_or_politely_ignored() -> None:
    files = sorted(WEBHOOKS.glob("*/*.json"))
    parsed = {
        f"{file.parent.name}/{file.name}": parse_github(file.parent.name, DELIVERY, file.read_bytes(), now=NOW)
        for file in files
    }
    assert len(parsed) >= 85
    assert [name for name, value in parsed.items() if isinstance(value, Signal)] == []
    assert all(isinstance(value, Ignored) and value.reason for value in parsed.values())


@pytest.mark.skipif(not WEBHOOKS.is_dir(), reason="GitHub's example payloads are not here: set HEALFLOW_SHARED_DATA")
def test_published_runs_become_signals_once_they_fail() -> None:
    for file in sorted((WEBHOOKS / "workflow_run").glob("completed-success-*.json")):
        payload = json.loads(file.read_bytes())
        payload["workflow_run"]["conclusion"] = "failure"
        found = parse_github("workflow_run", DELIVERY, payload, now=NOW)
        assert isinstance(found, Signal)
        assert (found.repository, found.branch) == ("octo-org/octo-repo", "master")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, item in items for place in places(item, (*path, key))]


def damaged(payload: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    payload = copy.deepcopy(payload)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice(places(payload))
        parent: Any = payload
        for key in way:
            parent = parent[key]
        if isinstance(parent, dict) and chance.random() < 0.2:
            del parent[last]
        else:
            parent[last] = copy.deepcopy(chance.choice(JUNK))
    return payload


@pytest.mark.parametrize("seed", range(6))
def test_damaged_payload_gives_a_signal_or_an_ignored_or_a_refusal(seed: int) -> None:
    chance = random.Random(seed)
    seen = {"signal": 0, "ignored": 0, "refused": 0}
    for event, valid in (("workflow_run", workflow_run()), ("workflow_run", local_run()), ("check_run", check_run())):
        for _ in range(250):
            try:
                found = parse_github(event, DELIVERY, damaged(valid, chance), now=NOW)
            except BadInputError as refusal:
                seen["refused"] += 1
                assert refusal.status_code in (400, 422)
                assert len(str(refusal)) < 400
                continue
            seen["signal" if isinstance(found, Signal) else "ignored"] += 1
            if isinstance(found, Signal):
                assert open_incident(found, now=NOW).model_dump_json()
    assert min(seen.values()) > 20, seen


@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_give_a_signal_or_an_ignored_or_a_refusal(seed: int) -> None:
    chance = random.Random(seed)
    body = json.dumps(workflow_run()).encode()
    refused = 0
    for _ in range(400):
        broken = bytearray(body)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            assert isinstance(parse_github("workflow_run", DELIVERY, bytes(broken), now=NOW), Signal | Ignored)
        except BadInputError:
            refused += 1
    assert refused > 100
