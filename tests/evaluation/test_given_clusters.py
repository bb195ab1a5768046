"""How often the right cause and object stand first in captured clusters that are given elsewhere; skipped without them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app

LABELS = Path(__file__).with_name("cluster_labels.yaml")
RIGHT = 0.90


def measure(folder: str) -> dict[str, Any]:
    shared = Path(os.environ.get("HEALFLOW_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (shared / folder / "cases.jsonl").is_file() or not (shared / "holmesgpt" / "state").is_dir():
        pytest.skip("the captured clusters are not here: set HEALFLOW_SHARED_DATA")
    done = CliRunner().invoke(app, ["eval", str(shared / folder), "--labels", str(LABELS), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return measure("holmesgpt")


def wrong(cases: list[dict[str, Any]]) -> list[str]:
    return [f"{case['case_id']}: {case['said']}" for case in cases if not case["right"]]


def test_cause_and_object_are_right_first_in_states_and_manifests(measured: dict[str, Any]) -> None:
    cases = [case for case in measured["cases"] if case["kind"] in ("state", "manifest")]
    assert len(cases) >= 25
    assert len(wrong(cases)) <= (1 - RIGHT) * len(cases), wrong(cases)


def test_healthy_cluster_yields_nothing(measured: dict[str, Any]) -> None:
    healthy = [case for case in measured["cases"] if case["healthy"]]
    assert healthy
    assert wrong(healthy) == []


def test_every_given_cluster_has_a_label(measured: dict[str, Any]) -> None:
    assert measured["left_out"] == {}


def test_clusters_among_the_given_logs_are_right_too() -> None:
    cases = measure("ci_logs")["cases"]
    assert len(cases) >= 10
    assert len(wrong(cases)) <= (1 - RIGHT) * len(cases), wrong(cases)
