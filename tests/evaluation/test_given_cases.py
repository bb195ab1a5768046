"""How often the diagnosis is right on real failures that are given elsewhere; skipped where they are not."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app

LABELS = Path(__file__).with_name("labels.yaml")
LINE_QUOTED, CLASS_RIGHT = 0.90, 0.85


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    cases = shared_data() / "ci_logs"
    if not (cases / "cases.jsonl").is_file():
        pytest.skip("the real failures are not here: set HEALFLOW_SHARED_DATA")
    done = CliRunner().invoke(app, ["eval", str(cases), "--labels", str(LABELS), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def shared_data() -> Path:
    return Path(os.environ.get("HEALFLOW_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def ratio(share: dict[str, int]) -> float:
    return share["count"] / share["of"]


def test_a_line_that_says_why_is_quoted(measured: dict[str, Any]) -> None:
    assert measured["all"]["quoted"]["of"] >= 50
    assert ratio(measured["all"]["quoted"]) >= LINE_QUOTED


def test_the_class_is_right(measured: dict[str, Any]) -> None:
    assert measured["all"]["top1"]["of"] >= 50
    assert ratio(measured["all"]["top1"]) >= CLASS_RIGHT
