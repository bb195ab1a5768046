"""`healflow up` for real: its URLs answer, a second one says who holds the home, and nothing outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from deployments.home import Holder, Home
from tasks.settings import Settings
from tests.doors.test_demo import left_over

pytestmark = pytest.mark.prefect

ROOT = Path(__file__).parents[2]


class Up:
    """One `healflow up` in a process of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HEALFLOW_HOME": str(home),
            "HEALFLOW_GATEWAY_PORT": "0",
            "HEALFLOW_PREFECT_PORT": "0",
            **environment,
        }
        self.process = self.start()

    def start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "deployments.main", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def stop(self) -> int:
        """What SIGTERM does: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=120)
        return self.process.returncode

    def read_until(self, text: str) -> str:
        """What it prints up to a line with that text."""
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if text in line:
                return said
        raise AssertionError(f"it ended without saying {text!r}:\n{said}")

    def holder(self) -> Holder:
        found = Home(Settings(home=self.home)).holder()
        assert found is not None
        return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started = Up(tmp_path / "served")
    yield started
    if started.process.poll() is None:
        started.process.kill()
    started.process.communicate()


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        signal.sigtimedwait([], 0.1)
    return False


def test_up_serves_tells_a_second_one_and_stops_whole(up: Up) -> None:
    said = up.read_until("Ctrl-C stops everything")
    for step in ("ledger", "gateway", "prefect server", "flows"):
        assert f"✓ {step}" in said
    holder = up.holder()
    ready = httpx.get(f"{holder.gateway_url}/readyz").json()
    nothing_waits = {"pending_events": 0, "oldest_pending_seconds": 0.0, "unstarted_incidents": 0}
    assert ready == {"status": "ok", "dispatcher_waits": False, **nothing_waits}
    assert httpx.get(f"{holder.prefect_url}/api/health").json() is True
    second = up.start()
    told, _ = second.communicate(timeout=120)
    assert second.returncode == 1
    assert f"process {holder.pid}" in told
    assert holder.prefect_url in told
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(timeout=120) == 0
    assert left_over(str(up.home)) == []
    assert Home(Settings(home=up.home)).holder() is None


def test_killed_up_leaves_no_process_behind(up: Up) -> None:
    up.read_until("Ctrl-C stops everything")
    up.process.kill()
    up.process.wait(timeout=60)
    assert eventually(lambda: left_over(str(up.home)) == [])
    assert Home(Settings(home=up.home)).holder() is None


def test_taken_port_is_said_with_what_to_do(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "deployments.main", "up"],
            cwd=ROOT,
            env={**os.environ, "HEALFLOW_HOME": str(tmp_path / "h"), "HEALFLOW_PREFECT_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert "HEALFLOW_PREFECT_PORT" in done.stderr
