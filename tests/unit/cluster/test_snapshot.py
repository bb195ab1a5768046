"""A captured cluster is explained: the object that has to change, nothing where all is well, no secret kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app
from flows.explain_cluster import explain_snapshot
from tasks.clients.kubernetes import read_snapshot_folder
from tasks.errors import HealflowError

READY = {"type": "Ready", "status": "True"}


def pod(name: str, status: dict[str, Any], image: str = "acme/cart:1") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"containers": [{"name": "cart", "image": image}]},
        "status": status,
    }


def running() -> dict[str, Any]:
    ended = {"name": "cart", "ready": True, "restartCount": 0, "state": {"running": {}}}
    return {"phase": "Running", "conditions": [READY], "containerStatuses": [ended]}


def waiting(reason: str, message: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {
        "phase": "Pending",
        "containerStatuses": [{"name": "cart", "ready": False, "restartCount": 0, "state": state}],
    }


def killed() -> dict[str, Any]:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
    status = {"name": "cart", "ready": False, "restartCount": 7, "state": waits, "lastState": ended}
    return {"phase": "Running", "containerStatuses": [status]}


def write(folder: Path, *objects: dict[str, Any]) -> Path:
    (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    return folder


def test_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HealflowError):
        explain_snapshot(tmp_path / "absent")


def test_healthy_namespace_yields_nothing(tmp_path: Path) -> None:
    found = explain_snapshot(write(tmp_path, pod("cart-1", running())))
    assert found.causes == ()
    assert found.objects_read >= 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            waiting(
                "ImagePullBackOff",
                'failed to resolve reference "docker.io/acme/cart:1": docker.io/acme/cart:1: not found',
            ),
            "k8s.image.notfound",
        ),
        (killed(), "k8s.oom"),
    ],
)
def test_broken_pod_is_named_with_its_class_and_quotes(tmp_path: Path, status: dict[str, Any], expected: str) -> None:
    found = explain_snapshot(write(tmp_path, pod("cart-1", status), pod("cart-2", running())))
    first = found.causes[0]
    assert first.diagnosis.failure_class == expected
    assert first.target.name == "cart-1"
    ids = {line.id for line in found.evidence.lines}
    assert set(first.diagnosis.evidence_ids) <= ids


def test_value_of_a_secret_is_never_kept(tmp_path: Path) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "tls", "namespace": "shop"},
        "data": {"key": "aHVudGVyMi1odW50ZXIy"},
    }
    folder = write(tmp_path, secret, pod("cart-1", killed()))
    assert "aHVudGVyMi1odW50ZXIy" not in explain_snapshot(folder).model_dump_json()


def test_command_line_prints_text_and_json(tmp_path: Path) -> None:
    folder = str(write(tmp_path, pod("cart-1", killed())))
    told = CliRunner().invoke(app, ["triage", "--snapshot", folder])
    assert told.exit_code == 0
    assert "k8s.oom" in told.stdout
    document = json.loads(CliRunner().invoke(app, ["triage", "--snapshot", folder, "--json"]).stdout)
    assert document["causes"][0]["target"]["name"] == "cart-1"


def test_time_of_a_dump_is_that_of_its_newest_sign_of_life(tmp_path: Path) -> None:
    beats = [{"type": "Ready", "status": "True", "lastHeartbeatTime": moment} for moment in ("2026-01-01T00:04:00Z",)]
    node = {"kind": "Node", "metadata": {"name": "n1", "uid": "u"}, "status": {"conditions": beats}}
    event = {"kind": "Event", "metadata": {"name": "e", "namespace": "a"}, "lastTimestamp": "2026-01-01T00:02:00Z"}
    (tmp_path / "state.json").write_text(json.dumps({"kind": "List", "items": [node, event]}))
    captured = read_snapshot_folder(tmp_path).captured_at
    assert captured is not None
    assert captured.isoformat() == "2026-01-01T00:04:00+00:00"
