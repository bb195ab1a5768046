"""A failed flow run kicks off the heal flow through the webhook block, for real: server, automation, gateway, heal."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.register import WATCHES
from tests.doors.test_up import ROOT, Up, eventually, up

__all__ = ["up"]
pytestmark = pytest.mark.prefect

FLOWS = """
import sys
from prefect import flow, get_run_logger

@flow
def deploy():
    get_run_logger().error("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress")
    raise RuntimeError("helm exited with 1")

@flow
def report():
    raise RuntimeError("nobody watches this")

{"deploy": deploy, "report": report}[sys.argv[1]](return_state=True)
"""


def incidents(up: Up) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "deployments.main", "incidents", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=up.environment, capture_output=True, text=True, timeout=60, check=True)
    return list(json.loads(done.stdout))


def test_failed_flow_run_is_healed_and_others_are_not(up: Up, tmp_path: Path) -> None:
    up.read_until("Ctrl-C stops everything")
    holder = up.holder()
    script = tmp_path / "flows_of_the_user.py"
    script.write_text(FLOWS)
    environment = {**os.environ, "PREFECT_API_URL": f"{holder.prefect_url}/api", "PREFECT_HOME": str(tmp_path / "p")}

    def run(name: str) -> None:
        subprocess.run(
            [sys.executable, str(script), name], env=environment, capture_output=True, timeout=90, check=True
        )

    run("report")
    run("deploy")
    assert eventually(lambda: any(one["status"] == "reported" for one in incidents(up)), 60), incidents(up)
    (incident,) = incidents(up)
    assert incident["repository"] == "prefect/deploy"
    shown = [sys.executable, "-m", "deployments.main", "show", incident["id"], "--json"]
    told = subprocess.run(shown, cwd=ROOT, env=up.environment, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(told.stdout)["diagnosis"]["failure_class"] == "dep.helm"

    answer = httpx.post(f"{holder.gateway_url}/webhooks/prefect", content=b"{}")
    assert answer.status_code == 401
    again = [sys.executable, "-m", "deployments.register", holder.gateway_url]
    subprocess.run(again, cwd=ROOT, env={**up.environment, **environment}, capture_output=True, timeout=60, check=True)
    listed = httpx.post(f"{holder.prefect_url}/api/automations/filter", json={}).json()
    assert sorted(one["name"] for one in listed) == sorted(watch.name for watch in WATCHES)
    assert up.stop() == 0
