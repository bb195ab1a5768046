"""A deploy as people run it in Prefect: `healflow up`, its deployment `deploy/deploy`, a real automation and a cluster."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tasks.clients.kubernetes import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.errors import NotFoundError
from tests.cluster.releases import Manifest, cart
from tests.doors.test_up import ROOT, Up, eventually, up

__all__ = ["up"]
pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
COMMIT = "f" * 40
CLOSED: Manifest = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}


def healflow(up: Up, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deployments.main", *words]
    return subprocess.run(
        command, cwd=ROOT, env=up.environment, capture_output=True, text=True, timeout=120, check=False
    )


def incidents(up: Up) -> list[dict[str, Any]]:
    return list(json.loads(healflow(up, "incidents", "--json").stdout))


def write(folder: Path, *objects: Manifest) -> str:
    file = folder / "release.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return str(file)


class Runs:
    """Runs of the deployment `deploy/deploy`."""

    def __init__(self, up: Up) -> None:
        up.read_until("Ctrl-C stops everything")
        self.api = f"{up.holder().prefect_url}/api"
        self._home = up.home

    def start(self, **parameters: Any) -> str:
        path = f"{self.api}/deployments/name/deploy/deploy"
        assert eventually(lambda: httpx.get(path).status_code == 200, 60), "the worker registers it"
        deployment = httpx.get(path).json()["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        made = httpx.post(f"{self.api}/deployments/{deployment}/create_flow_run", json=body, timeout=30)
        return str(made.json()["id"])

    def state(self, run_id: str) -> str:
        return str(httpx.get(f"{self.api}/flow_runs/{run_id}").json()["state"]["name"])

    def told(self) -> list[tuple[str, str]]:
        """What became of the events that Prefect's automations sent."""
        with sqlite3.connect(self._home / "ledger.db") as ledger:
            query = "SELECT status, incident_id FROM events WHERE source = 'prefect' AND event_name = 'flow_run'"
            return [(str(status), str(incident)) for status, incident in ledger.execute(query)]


def test_failed_deploy_is_one_incident_although_prefect_tells_of_its_run_too(
    up: Up, namespace: str, tmp_path: Path
) -> None:
    runs = Runs(up)
    folder = write(tmp_path, cart())
    first = healflow(up, "deploy", folder, "-n", namespace)
    assert first.returncode == 0, first.stdout + first.stderr
    write(tmp_path, cart(selector="basket"))
    run_id = runs.start(folder=folder, namespace=namespace, commit=COMMIT)
    assert eventually(lambda: runs.state(run_id) == "Failed", 60), runs.state(run_id)
    assert eventually(lambda: any(one["status"] == "reported" for one in incidents(up)), 60), incidents(up)
    assert eventually(lambda: [status for status, _ in runs.told()] == ["dispatched"], 30), runs.told()
    (incident,) = incidents(up)
    assert runs.told() == [("dispatched", incident["id"])]
    assert incident["commit"] == COMMIT
    assert "spec.selector, which is immutable" in incident["cause"]


def test_release_that_policy_holds_waits_for_the_command_line(
    up: Up, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    runs = Runs(up)
    closed = ObjectRef(kind="NetworkPolicy", namespace=namespace, name="closed")
    folder = write(tmp_path, CLOSED)

    def held() -> list[dict[str, Any]]:
        return [one for one in incidents(up) if one["status"] == "waiting"]

    def is_there() -> bool:
        try:
            cluster.read(closed)
        except NotFoundError:
            return False
        return True

    refused = runs.start(folder=folder, namespace=namespace)
    assert eventually(lambda: bool(held()), 60)
    assert healflow(up, "reject", held()[0]["id"], "--why", "not today").returncode == 0
    assert eventually(lambda: runs.state(refused) == "Failed", 60), runs.state(refused)
    assert not is_there()
    assert eventually(lambda: [status for status, _ in runs.told()] == ["dispatched"], 30), runs.told()
    assert [one["status"] for one in incidents(up)] == ["rejected"], "a no is no failure of its own"

    allowed = runs.start(folder=folder, namespace=namespace)
    assert eventually(lambda: bool(held()), 60)
    shown = healflow(up, "show", held()[0]["id"])
    assert "NetworkPolicy" in shown.stdout
    assert not is_there()
    assert healflow(up, "approve", held()[0]["id"]).returncode == 0
    assert eventually(lambda: runs.state(allowed) == "Completed", 60), runs.state(allowed)
    assert is_there()
    assert sorted(one["status"] for one in incidents(up)) == ["healed", "rejected"]
    assert up.stop() == 0
