"""A heal that waits for a person outlives a restart of everything, whichever moment the stop picks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deployments.demo.project import WORKFLOW, DemoRepository
from tests.doors.test_demo import left_over
from tests.doors.test_up import ROOT, Up, eventually, up

__all__ = ["up"]
pytestmark = pytest.mark.prefect

HEAL_SECONDS = 600.0


class Terminal:
    """A user's terminal beside a running `up`."""

    def __init__(self, up: Up) -> None:
        self.environment = up.environment

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "deployments.main", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def newest(self) -> dict[str, Any]:
        listed = json.loads(self.run("incidents", "--json").stdout)
        return dict(listed[0]) if listed else {}

    def status(self) -> str:
        return str(self.newest().get("status"))


@pytest.mark.parametrize("settle_seconds", [0.0, 5.0], ids=["while it suspends", "long after"])
def test_waiting_heal_survives_a_restart_of_everything(up: Up, tmp_path: Path, settle_seconds: float) -> None:
    terminal = Terminal(up)
    up.read_until("Ctrl-C stops everything")
    repository = DemoRepository(tmp_path / "a shop; $(touch oops) & 'co'")
    repository.create()
    assert terminal.run("ci", WORKFLOW, "-C", str(repository.root), "--ref", "main").returncode == 0
    repository.forget_a_dependency()
    assert terminal.run("ci", WORKFLOW, "-C", str(repository.root), "--ref", "main").returncode == 1
    assert eventually(lambda: terminal.status() == "waiting", HEAL_SECONDS)
    eventually(lambda: False, settle_seconds)

    assert up.stop() == 0
    assert left_over(str(up.home)) == []
    incident_id = terminal.newest()["id"]
    said = terminal.run("approve", incident_id, "--merge")
    assert said.returncode == 0, said.stderr
    assert "not running" in said.stdout + said.stderr
    refused = terminal.run("reject", incident_id, "--why", "too late")
    assert refused.returncode == 1
    assert "moneyformat" not in (repository.root / "requirements.txt").read_text()

    up.process = up.start()
    up.read_until("Ctrl-C stops everything")
    assert eventually(lambda: terminal.status() == "healed", HEAL_SECONDS), terminal.run("show", incident_id).stdout
    assert "moneyformat" in repository.git("show", "main:requirements.txt")
    assert terminal.run("undo", incident_id).returncode == 0
    assert "moneyformat" not in repository.git("show", "main:requirements.txt")
    assert not list(tmp_path.rglob("oops"))
    assert up.stop() == 0
    assert left_over(str(up.home)) == []
