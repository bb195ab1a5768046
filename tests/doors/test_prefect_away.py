"""The Prefect server away and back, for real: what fails meanwhile waits, is said to wait, and is healed after, once.

`healflow up` would start the server again at once, so it is held still itself while the server is down.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.home import Home
from tasks.clients.ledger import Ledger
from tasks.domain.incident import IncidentStatus
from tasks.settings import Settings
from tests.doors.test_automations import answers
from tests.doors.test_demo import left_over
from tests.doors.test_up import Up, eventually, up
from tests.unit.intake.alerts import bare, notification

__all__ = ["up"]
pytestmark = pytest.mark.prefect

SECONDS = 180.0
"""How long anything may take; on an idle machine the server is back after ten."""


@contextmanager
def server_away(up: Up) -> Iterator[None]:
    """Kill the Prefect server, and let it be started again at the end."""
    url = up.holder().prefect_url
    up.process.send_signal(signal.SIGSTOP)
    try:
        for pid in serving(httpx.URL(url).port):
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not answers(f"{url}/api/health"), SECONDS)
        yield
    finally:
        up.process.send_signal(signal.SIGCONT)


def serving(port: int | None) -> list[int]:
    """The processes of the Prefect server on a port, without the guard that starts them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().split(b"\0")
            if str(port).encode() in command and b"-I" not in command:
                found.append(int(process.name))
    return found


def ready(up: Up) -> dict[str, Any]:
    return dict(httpx.get(f"{up.holder().gateway_url}/readyz", timeout=30).json())


def figure(up: Up, name: str) -> float:
    text = httpx.get(f"{up.holder().gateway_url}/metrics", timeout=30).text
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


def heals(up: Up) -> list[str]:
    """The states of all runs of the heal flow."""
    wanted = {"flows": {"name": {"any_": ["heal"]}}}
    found = httpx.post(f"{up.holder().prefect_url}/api/flow_runs/filter", json=wanted, timeout=30).json()
    return [str(run["state_name"]) for run in found]


def tell(up: Up) -> int:
    """Alertmanager tells of a failure; how the gateway answers."""
    home = Home(Settings(home=up.home))
    headers = {"Authorization": f"Bearer {home.event_tokens()[0]}", "Content-Type": "application/json"}
    body = notification(bare(startsAt=datetime.now(UTC).isoformat()))
    url = f"{up.holder().gateway_url}/webhooks/alertmanager"
    return httpx.post(url, content=body, headers=headers, timeout=30).status_code


def test_failure_told_while_the_server_is_away_waits_and_is_healed_once_after(up: Up) -> None:
    up.read_until("Ctrl-C stops everything")
    ledger = Ledger.open(Settings(home=up.home).ledger_url)
    with server_away(up):
        assert tell(up) == 202
        assert eventually(lambda: ready(up)["unstarted_incidents"] == 1, SECONDS), "accepted, and its run waits"
        assert eventually(lambda: bool(ready(up)["dispatcher_waits"]), SECONDS)
        assert figure(up, "healflow_dispatcher_waits") == 1
        assert figure(up, "healflow_incidents_unstarted") == 1
        (waiting,) = ledger.incidents.newest()
        assert (waiting.incident.status, waiting.flow_run_id) == (IncidentStatus.OPEN, None)
        assert "Waiting: the Prefect server does not answer" in (up.home / "logs" / "gateway.log").read_text()
    incident_id = waiting.incident.id
    assert eventually(lambda: ledger.incidents.get(incident_id).incident.status.ended, SECONDS), ready(up)
    assert ledger.incidents.get(incident_id).incident.status is IncidentStatus.REPORTED
    assert eventually(lambda: heals(up) == ["Completed"], SECONDS), "one run, and no other"
    assert eventually(lambda: not ready(up)["dispatcher_waits"], SECONDS)
    assert ready(up)["unstarted_incidents"] == 0
    assert len(ledger.incidents.newest()) == 1
    ledger.close()
    assert up.stop() == 0
    assert left_over(str(up.home)) == []
