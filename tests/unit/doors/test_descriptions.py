"""What the OpenAPI description says of other people's payloads is true of the real ones."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

from deployments.gateway.payloads import (  # noqa: E402
    ALERTMANAGER,
    FORM,
    GITHUB,
    PAGE_ANSWER,
    PREFECT,
    SLACK_COMMAND,
    SLACK_INTERACTION,
)
from deployments.register import TEMPLATE  # noqa: E402
from deployments.slack.pressing import Press  # noqa: E402
from tests.unit.intake import payloads  # noqa: E402
from tests.unit.intake.alerts import SAMPLES, alert, bare, notification  # noqa: E402
from tests.unit.slack.scene import GRACE, in_slack  # noqa: E402

PROJECT = Path(__file__).resolve().parents[3]
WEBHOOKS = Path(os.environ.get("HEALFLOW_SHARED_DATA", PROJECT.parent / "shared" / "data")) / "octokit" / "webhooks"


def faults(described: Mapping[str, Any], told: Any) -> list[str]:
    """Where a body is not as it is described."""
    ((kind, content),) = described["requestBody"]["content"].items()
    assert kind in (FORM, "application/json")
    checker = jsonschema.Draft202012Validator(content["schema"])
    return [f"{error.json_path}: {error.message}"[:200] for error in checker.iter_errors(told)]


@pytest.mark.parametrize(
    "told",
    [payloads.workflow_run(), payloads.local_run(), payloads.check_run(), payloads.workflow_run(head_branch=None)],
)
def test_runs_are_as_described(told: dict[str, Any]) -> None:
    assert faults(GITHUB, told) == []


def test_run_without_a_commit_is_not() -> None:
    assert faults(GITHUB, payloads.workflow_run(head_sha=None)) != []


@pytest.mark.skipif(not WEBHOOKS.is_dir(), reason="GitHub's example payloads are not here: set HEALFLOW_SHARED_DATA")
def test_published_payloads_of_github_are_as_described() -> None:
    files = sorted(WEBHOOKS.glob("*/*.json"))
    assert len(files) >= 85
    found = {str(file): faults(GITHUB, json.loads(file.read_bytes())) for file in files}
    assert {name: said for name, said in found.items() if said} == {}


def test_notifications_of_alertmanager_are_as_described() -> None:
    assert faults(ALERTMANAGER, json.loads(notification(alert(), bare(), alert(status="resolved")))) == []
    assert faults(ALERTMANAGER, json.loads(notification(version="3"))) != []
    for file in sorted(SAMPLES.glob("*.json")):
        if "invalid" in file.name:
            continue
        told = json.loads(file.read_bytes())
        if told.get("version") == "4" and told.get("alerts"):
            assert faults(ALERTMANAGER, told) == [], file.name


def test_calls_of_our_own_automations_are_as_described() -> None:
    told = json.loads(TEMPLATE)
    known = {"event_id": "0196a7a2-0000-7000-8000-000000000001", "flow_run_id": "0196a7a2-0000-7000-8000-000000000002"}
    known |= {"flow": "deploy", "flow_run": "brave-otter", "state": "TimedOut", "occurred": "2026-05-04T03:02:01+00:00"}
    assert set(told) == set(known)
    assert faults(PREFECT, known) == []
    assert faults(PREFECT, known | {"event_id": "x"}) != []


def test_presses_forms_and_commands_are_as_described(tmp_path: Path) -> None:
    with in_slack(tmp_path) as scene:
        sent: list[tuple[str, dict[str, Any]]] = []
        deliver = scene.server.deliver
        assert deliver is not None

        def noted(path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
            sent.append((path, dict(parse_qsl(body.decode(), keep_blank_values=True))))
            return deliver(path, body, headers)

        scene.server.deliver = noted
        scene.server.submit(scene.open_form(Press.REJECT), {"reason": "not now"})
        scene.server.command(GRACE, "incidents")
    interactions = [{"payload": json.loads(form["payload"])} for path, form in sent if path == "/slack/interactions"]
    assert [told["payload"]["type"] for told in interactions] == ["block_actions", "view_submission"]
    assert [faults(SLACK_INTERACTION, told) for told in interactions] == [[], []]
    (command,) = [form for path, form in sent if path == "/slack/commands"]
    assert faults(SLACK_COMMAND, command) == []
    assert faults(SLACK_COMMAND, {}) != []


@pytest.mark.parametrize(
    ("form", "fits"),
    [
        ({"answer": "approve", "seal": "s"}, True),
        ({"answer": "snooze", "seal": "s"}, True),
        ({"answer": "edit", "seal": "s", "edit.1.until": "2026-01-10"}, True),
        ({"answer": "expired", "seal": "s"}, False),
        ({"answer": "approve"}, False),
    ],
)
def test_answers_of_the_page_are_as_described(form: dict[str, str], fits: bool) -> None:
    assert (faults(PAGE_ANSWER, form) == []) is fits
