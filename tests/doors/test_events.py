"""The door for any other CI: what docs/events.md says to copy works, and nothing but it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn

from deployments.gateway import make_app
from tasks.clients.ledger import Ledger
from tasks.settings import Settings
from tests.doors.test_up import eventually

ROOT = Path(__file__).parents[2]
PAIR = ("an-older-secret", "a-newer-secret")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.in_folder(tmp_path)


@contextmanager
def served(ledger: Ledger) -> Iterator[str]:
    """The gateway on a free port of loopback; its address."""
    app = make_app(Settings(), ledger, "s", event_tokens=["t"], event_secrets=PAIR)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    assert eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def copied() -> str:
    """The commands as they stand in the documentation."""
    found = re.search(r"```bash\n(.*?)```", (ROOT / "docs" / "events.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def run(script: str, gateway: str, secret: str) -> "subprocess.CompletedProcess[str]":
    if missing := [tool for tool in ("bash", "curl", "openssl") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} not installed")
    environment = {**os.environ, "HEALFLOW_GATEWAY": gateway, "HEALFLOW_EVENT_SECRET": secret}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_commands_of_the_documentation_are_accepted_with_either_secret(ledger: Ledger) -> None:
    with served(ledger) as gateway:
        first = run(copied(), gateway, PAIR[0])
        assert first.returncode == 0, first.stderr
        assert '"duplicate":false' in first.stdout
        assert eventually(lambda: run(copied(), gateway, PAIR[1]).returncode == 0)
    assert all(event.source == "events" for event in ledger.events.pending())
    assert ledger.events.backlog().pending >= 1


def test_same_commands_with_another_secret_leave_nothing(ledger: Ledger) -> None:
    with served(ledger) as gateway:
        done = run(copied(), gateway, "guessed")
    assert done.returncode != 0
    assert "X-Healflow-Signature does not match" in done.stdout
    assert ledger.events.backlog().pending == 0


def test_captured_event_sent_again_counts_once_and_not_at_all_when_changed(ledger: Ledger) -> None:
    twice = copied() + copied().partition("signature=")[2].partition("\n")[2]
    changed = copied().replace('--data-raw "$body"', '--data-raw "${body/nightly/mightly}"')
    with served(ledger) as gateway:
        assert '"duplicate":true' in run(twice, gateway, PAIR[0]).stdout
        assert run(changed, gateway, PAIR[0]).returncode != 0
    assert ledger.events.backlog().pending == 1


def test_figures_tell_what_was_accepted_refused_and_waits(ledger: Ledger) -> None:
    with served(ledger) as gateway:
        assert run(copied(), gateway, PAIR[0]).returncode == 0
        assert run(copied(), gateway, "guessed").returncode != 0
        httpx.post(f"{gateway}/webhooks/nobody/{'x' * 40}")
        text = httpx.get(f"{gateway}/metrics").text
        ready = httpx.get(f"{gateway}/readyz").json()
    lines = set(text.splitlines())
    assert 'healflow_events_accepted_total{outcome="new",source="events"} 1.0' in lines
    assert 'healflow_events_refused_total{reason="not_authentic",source="events"} 1.0' in lines
    assert {"healflow_events_pending 1.0", "healflow_ledger_up 1.0", "healflow_approvals_waiting 0.0"} <= lines
    assert 'healflow_answer_seconds_count{door="/webhooks/events"} 2.0' in lines
    assert 'healflow_incidents{status="open"} 0.0' in lines
    assert "xxxx" not in text
    assert ready["pending_events"] == 1
