"""The automations for real: a Prefect server, the gateway that it calls, and the dispatcher that reads what came."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn

from deployments.dispatcher import Dispatcher
from deployments.gateway import make_app
from deployments.home import Home
from deployments.lost_webhooks import PrefectFailures
from deployments.notifying import Notifier
from deployments.register import HEALS_FAILURES, WATCHES
from flows.sweep import Sweep
from tasks.clients.ledger import EntryKind, Ledger
from tasks.domain.approval import Answer, ApprovalRequest
from tasks.domain.card import CardState
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, Signal, SignalKind, SignalSource, open_incident
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tasks.settings import Settings
from tests.doors.test_up import ROOT, eventually
from tests.unit.notifying.board import Board

pytestmark = pytest.mark.prefect

SECONDS = 60.0
"""How long an event of the server may take on its way; about two seconds on an idle machine."""


class Wired:
    """A Prefect server whose automations call a gateway that only accepts: a test ticks the dispatcher itself."""

    def __init__(self, folder: Path, api: str, gateway: str, settings: Settings, ledger: Ledger) -> None:
        self.api, self.gateway, self.settings, self.ledger = api, gateway, settings, ledger
        self.folder = folder

    def register(self) -> None:
        environment = {**os.environ, "HEALFLOW_HOME": str(self.settings.root), "PREFECT_API_URL": self.api}
        command = [sys.executable, "-m", "deployments.register", self.gateway]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=True
        )
        assert done.stdout.startswith(f"{self.api} calls {self.gateway}/webhooks/prefect by the automations ")

    def automations(self) -> list[dict[str, Any]]:
        return list(httpx.post(f"{self.api}/automations/filter", json={}).json())

    def run(self, flow: str, state: dict[str, Any]) -> str:
        """A run of a flow with that name, brought into a state as the server itself does it."""
        flow_id = self._post("/flows/", {"name": flow})["id"]
        deployed = self._post("/deployments/", {"name": "d", "flow_id": flow_id})["id"]
        made = self._post(f"/deployments/{deployed}/create_flow_run", {})["id"]
        for one in ({"type": "RUNNING", "name": "Running"}, state):
            told = self._post(f"/flow_runs/{made}/set_state", {"state": one, "force": True})
            assert told["status"] == "ACCEPT", told
        return str(UUID(made))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the server answers; while its database is locked it says 503, as it would to any client of Prefect's."""
        for _ in range(20):
            told = httpx.post(f"{self.api}{path}", json=body, timeout=30)
            if told.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        assert told.is_success, told.text
        return dict(told.json())

    def state_of(self, run_id: str) -> str:
        return str(httpx.get(f"{self.api}/flow_runs/{run_id}").json()["state_name"])

    def delivered(self, run_id: str, count: int = 1) -> bool:
        return sum(run_id.encode() in event.body for event in self.ledger.events.pending(limit=100)) >= count


class NoRuns:
    """Heal's runs where nobody serves the flow: the runs that the test made itself, seen through the server."""

    def __init__(self, wired: Wired) -> None:
        self._wired = wired
        self.created: list[str] = []

    def create(self, incident_id: str, *, idempotency_key: str) -> str:
        self.created.append(idempotency_key)
        return f"started-{len(self.created)}"

    def state(self, run_id: str) -> Any:
        from deployments.dispatcher import RunState
        from deployments.prefect_runs import PrefectRuns

        return RunState.ALIVE if run_id.startswith("started") else PrefectRuns().state(run_id)

    def resume(self, run_id: str, *, answer: str, approver: str, reason: str) -> bool:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    folder = tmp_path_factory.mktemp("wired")
    port, gateway_port = free_port(), free_port()
    api = f"http://127.0.0.1:{port}/api"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    settings = Settings(home=folder / "home")
    home = Home(settings)
    home.make()
    ledger = Ledger.open(settings.ledger_url)
    app = make_app(settings, ledger, home.webhook_secret(), event_tokens=home.event_tokens())
    gateway = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=gateway_port, log_level="warning"))
    serving = threading.Thread(target=gateway.run)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        serving.start()
        try:
            assert eventually(lambda: answers(f"{api}/health"), 90), (folder / "server.log").read_text()
            yield Wired(folder, api, f"http://127.0.0.1:{gateway_port}", settings, ledger)
        finally:
            gateway.should_exit = True
            serving.join(timeout=10)
            server.terminate()
            server.wait(timeout=30)
            ledger.close()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def api(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: wired.api}):
        yield


def open_one(wired: Wired, run_id: str, delivery: str) -> Incident:
    now = datetime.now(UTC)
    signal = Signal(
        source=SignalSource.PIPELINE,
        kind=SignalKind.CI_RUN,
        delivery_id=delivery,
        repository="local/shop",
        branch="main",
        commit="a" * 40,
        title=delivery,
        occurred_at=now,
    )
    incident = wired.ledger.incidents.open(open_incident(signal, now=now))
    wired.ledger.incidents.set_flow_run(incident.id, run_id)
    return incident


def ask(wired: Wired, incident: Incident, seconds: float) -> ApprovalRequest:
    now = datetime.now(UTC)
    diagnosis = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="nobody knows", confidence=0, fingerprint="f")
    wired.ledger.incidents.write(incident.id, EntryKind.DIAGNOSIS, diagnosis, at=now)
    action = Action(
        name=Remedy.RUN_FORMATTER, target="healflow/x", risk=Risk.LOW, summary="Format it", undo="delete the branch"
    )
    plan = Plan(incident_id=incident.id, playbook="format", rationale="", actions=(action,), target_state="a" * 40)
    wired.ledger.incidents.write(incident.id, EntryKind.PLAN, plan, at=now)
    return wired.ledger.approvals.ask(
        ApprovalRequest(
            id=f"{incident.id}-q",
            incident_id=incident.id,
            plan_digest="p" * 64,
            question="Format it?",
            asked_at=now,
            deadline=now + timedelta(seconds=seconds),
            nonce="n",
        )
    )


def test_registering_twice_doubles_nothing_and_leaves_switched_off_what_is(wired: Wired) -> None:
    wired.register()
    first = {one["name"]: one["id"] for one in wired.automations()}
    assert sorted(first) == sorted(watch.name for watch in WATCHES)
    off = first[WATCHES[1].name]
    httpx.patch(f"{wired.api}/automations/{off}", json={"enabled": False}).raise_for_status()
    doubled = httpx.get(f"{wired.api}/automations/{first[WATCHES[0].name]}").json()
    kept = {key: doubled[key] for key in ("name", "description", "trigger", "actions")}
    httpx.post(f"{wired.api}/automations/", json=kept).raise_for_status()
    assert len(wired.automations()) == len(WATCHES) + 1

    wired.register()
    again = wired.automations()
    assert sorted(one["name"] for one in again) == sorted(first)
    assert [one["enabled"] for one in again if one["id"] == off] == [False]
    blocks = httpx.post(f"{wired.api}/block_documents/filter", json={}).json()
    assert [block["name"] for block in blocks] == ["healflow-gateway"]
    httpx.patch(f"{wired.api}/automations/{off}", json={"enabled": True}).raise_for_status()


def test_every_way_in_which_a_watched_run_ends_badly_is_delivered_and_nothing_else(wired: Wired) -> None:
    wired.register()
    bad = [("FAILED", "Failed"), ("CRASHED", "Crashed"), ("FAILED", "TimedOut")]
    watched = [
        wired.run(flow, {"type": kind, "name": name})
        for flow, (kind, name) in zip(("provision", "deploy", "teardown", "pipeline"), [*bad, bad[0]], strict=True)
    ]
    others = [
        wired.run(flow, {"type": kind, "name": name})
        for flow, kind, name in (
            ("report", "FAILED", "Failed"),
            ("triage", "FAILED", "Failed"),
            ("deploy", "COMPLETED", "Completed"),
            ("heal", "COMPLETED", "Completed"),
        )
    ]
    last = wired.run("deploy", {"type": "FAILED", "name": "Failed"})
    assert eventually(lambda: all(wired.delivered(run) for run in [*watched, last]), SECONDS)
    assert not any(wired.delivered(run) for run in others)
    kept = [event for event in wired.ledger.events.pending(limit=100) if event.source == "prefect"]
    assert len(kept) == len(watched) + 1, "each once"
    tick_until_empty(wired)
    opened = {one.incident.signal.run.run_id for one in wired.ledger.incidents.newest() if one.incident.signal.run}
    assert opened == {*watched, last}


def test_failure_whose_webhook_was_lost_is_found_and_one_that_came_is_not_found_again(
    wired: Wired, api: None, tmp_path: Path
) -> None:
    """Prefect's own event of a failure has the id of the run's state, by which the two are known for one."""
    wired.register()
    before, run = datetime.now(UTC) - timedelta(seconds=5), wired.run("deploy", {"type": "FAILED", "name": "Failed"})
    wired.run("report", {"type": "FAILED", "name": "Failed"})
    assert eventually(lambda: wired.delivered(run), SECONDS)
    sweep = Sweep(wired.ledger, lambda: [PrefectFailures()], every=timedelta(0), most_back=timedelta(hours=1))
    wired.ledger.bookmarks.put("prefect", before)
    accepted = len(wired.ledger.events.pending(limit=100))
    sweep.tick(datetime.now(UTC))
    assert len(wired.ledger.events.pending(limit=100)) == accepted, "it had come"

    deaf = Ledger.in_folder(tmp_path / "deaf")
    deaf.bookmarks.put("prefect", before)
    sweep = Sweep(deaf, lambda: [PrefectFailures()], every=timedelta(0), most_back=timedelta(hours=1))
    for _ in range(2):
        sweep.tick(datetime.now(UTC))
    mine = [event for event in deaf.events.pending(limit=100) if run.encode() in event.body]
    assert [event.source for event in mine] == ["prefect"], "once"
    assert not any(b"report" in event.body for event in deaf.events.pending(limit=100))
    Dispatcher(deaf, NoRuns(wired)).tick(datetime.now(UTC))
    assert run in {one.incident.signal.run.run_id for one in deaf.incidents.newest() if one.incident.signal.run}
    tick_until_empty(wired)


def test_who_switched_the_healing_of_failures_off_gets_none_by_the_sweep_either(wired: Wired, api: None) -> None:
    wired.register()
    before = datetime.now(UTC) - timedelta(seconds=5)
    wired.run("deploy", {"type": "FAILED", "name": "Failed"})
    source = PrefectFailures()
    assert source.failures(before, now=datetime.now(UTC))
    of_failures = next(one["id"] for one in wired.automations() if one["name"] == HEALS_FAILURES)
    httpx.patch(f"{wired.api}/automations/{of_failures}", json={"enabled": False}).raise_for_status()
    try:
        assert source.failures(before, now=datetime.now(UTC)) == ()
    finally:
        httpx.patch(f"{wired.api}/automations/{of_failures}", json={"enabled": True}).raise_for_status()
    tick_until_empty(wired)


def test_suspended_heal_has_its_card_sent_and_opens_nothing(wired: Wired, api: None) -> None:
    wired.register()
    run = wired.run("heal", {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}})
    incident = open_one(wired, run, "suspended")
    ask(wired, incident, 3600)
    assert eventually(lambda: wired.delivered(run), SECONDS)
    before = len(wired.ledger.incidents.newest())
    tick_until_empty(wired)
    assert len(wired.ledger.incidents.newest()) == before
    stored = wired.ledger.approvals.get(f"{incident.id}-q")
    assert stored is not None
    assert stored.answer is None
    board = Board()
    Notifier(wired.ledger, (board,), wired.settings).tick(datetime.now(UTC))
    assert board.hung == [[CardState.WAITING]]
    card = wired.ledger.cards.get(f"{incident.id}-q")
    assert card is not None
    assert card.channel == "board"


def test_suspension_that_the_server_let_expire_is_recorded_as_no(wired: Wired, api: None) -> None:
    wired.register()
    until = datetime.now(UTC) + timedelta(seconds=3)
    details = {"pause_timeout": until.isoformat(), "pause_reschedule": True}
    run = wired.run("heal", {"type": "PAUSED", "name": "Suspended", "state_details": details})
    incident = open_one(wired, run, "expired")
    ask(wired, incident, 2)
    board = Board()
    notifier = Notifier(wired.ledger, (board,), wired.settings)
    wired.ledger.cards.want(f"{incident.id}-q", incident.id, at=datetime.now(UTC))
    notifier.tick(datetime.now(UTC))
    assert board.hung == [[CardState.WAITING]]
    assert eventually(lambda: wired.state_of(run) == "Failed", SECONDS), "the server's own service did it"
    assert eventually(lambda: wired.delivered(run, 2), SECONDS), "once as it was suspended, once as it failed"
    runs = tick_until_empty(wired)
    stored = wired.ledger.approvals.get(f"{incident.id}-q")
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answer is Answer.EXPIRED
    assert f"{incident.id}:2" in runs.created, "another run writes the end and announces it"
    assert [entry.kind for entry in wired.ledger.audit.entries(incident_id=incident.id) if entry.kind != "journal"] == [
        "answer.expired"
    ]
    notifier.tick(datetime.now(UTC) + timedelta(seconds=5))
    assert board.hung == [[CardState.WAITING, CardState.EXPIRED]], "announced where it was asked"


def tick_until_empty(wired: Wired) -> NoRuns:
    runs = NoRuns(wired)
    dispatcher = Dispatcher(wired.ledger, runs)
    while wired.ledger.events.pending():
        dispatcher.tick(datetime.now(UTC))
    return runs
