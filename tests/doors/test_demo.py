"""The whole demo, as a user runs it: real services, four breakages healed, nothing left behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo


def test_demo_heals_all_four_breakages_and_leaves_no_process(tmp_path: Path) -> None:
    environment = {**os.environ, "HEALFLOW_HOME": str(tmp_path / "home"), "COLUMNS": "160"}
    done = subprocess.run(
        [sys.executable, "-m", "deployments.main", "demo", "--yes", "--keep"],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.split("What happened")[1]
    assert len(re.findall(r"\bhealed\b", table)) == 4
    assert re.search(r"The first failure again .*healed .*yes", table)
    assert "ModuleNotFoundError: No module named 'moneyformat'" in done.stdout
    assert "+moneyformat" in done.stdout
    assert "/runs/flow-run/" in done.stdout
    assert re.search(r"Slack #deploys: Approval wanted: .*\n.* Approve and merge .* Snooze 1 hour ", done.stdout)
    assert re.search(r"Slack #deploys: Healed: .*\n  Decided by grace in Slack", done.stdout)
    kept = tmp_path / "home" / "demo" / "home"
    assert f"Kept: HEALFLOW_HOME={kept} healflow incidents" in done.stdout
    assert (kept / "ledger.db").exists()
    assert left_over(str(tmp_path)) == []


def left_over(mark: str) -> list[str]:
    """The processes that have this folder in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
