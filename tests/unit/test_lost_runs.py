"""The dispatcher and runs that are no more: what counts as lost, what waits, and when a person takes over."""

from datetime import timedelta
from pathlib import Path

import pytest

from deployments.dispatcher import Bounds, Dispatcher, RunState
from tasks.clients.ledger import Ledger
from tasks.domain.incident import Incident, IncidentStatus
from tests.unit.test_dispatcher import NOW, Server, deliver

pytestmark = pytest.mark.each_database

SILENCE, PATIENCE, MOST_RUNS = 60, 3600, 3


class Scene:
    """One incident whose first run has been started."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.server = ledger, Server()
        bounds = Bounds(silence_seconds=SILENCE, patience=timedelta(seconds=PATIENCE), max_runs=MOST_RUNS)
        self.dispatcher = Dispatcher(ledger, self.server, bounds=bounds)
        deliver(ledger)
        self.tick(0)

    def tick(self, seconds: float) -> None:
        self.dispatcher.tick(NOW + timedelta(seconds=seconds))

    def sign(self, run: str, seconds: float) -> None:
        self.ledger.leases.sign(run, now=NOW + timedelta(seconds=seconds), seconds=SILENCE)

    def fail_delayed(self, run: str, seconds: float) -> None:
        """What a heal does when something outside is away."""
        self.ledger.heals.postpone(self.incident.id, "GitHub does not answer", now=NOW + timedelta(seconds=seconds))
        self.server.states[run] = RunState.LOST

    @property
    def incident(self) -> Incident:
        return self.ledger.incidents.newest()[0].incident

    def told(self) -> str:
        return " ".join(entry.document for entry in self.ledger.incidents.journal(self.incident.id))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(Ledger.in_folder(tmp_path))


def test_run_that_gives_signs_of_life_is_left_alone(scene: Scene) -> None:
    for second in range(5, 300, 5):
        scene.sign("run-1", second)
        scene.tick(second)
    assert len(scene.server.runs) == 1


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.WAITING])
def test_run_without_a_process_need_give_no_sign(scene: Scene, state: RunState) -> None:
    scene.sign("run-1", 1)
    scene.server.states["run-1"] = state
    scene.tick(1000)
    scene.server.states["run-1"] = RunState.ALIVE  # it begins only now
    scene.tick(1005)
    scene.tick(1000 + SILENCE)
    assert len(scene.server.runs) == 1


@pytest.mark.parametrize("signed", [True, False], ids=["died while it worked", "never came to work"])
def test_run_that_falls_silent_is_given_up_and_another_goes_on(scene: Scene, signed: bool) -> None:
    if signed:
        scene.sign("run-1", 1)
    scene.tick(6)
    scene.tick(12 + SILENCE)
    assert scene.server.states["run-1"] is RunState.LOST
    assert list(scene.server.states) == ["run-1", "run-2"]


def test_delayed_heal_is_not_begun_before_its_time_and_loses_no_try(scene: Scene) -> None:
    at = 10.0
    for number in range(1, 2 * MOST_RUNS):
        scene.fail_delayed(f"run-{number}", at)
        delay = scene.ledger.heals.delay(scene.incident.id)
        assert delay is not None
        scene.dispatcher.tick(delay.until - timedelta(seconds=1))
        assert len(scene.server.runs) == number
        scene.dispatcher.tick(delay.until + timedelta(seconds=5))
        assert len(scene.server.runs) == number + 1
        at = (delay.until - NOW).total_seconds() + 10
    assert not scene.incident.status.ended


def test_what_stays_away_too_long_goes_to_a_person_with_its_reason(scene: Scene) -> None:
    at, number = 10.0, 1
    while not scene.incident.status.ended:
        scene.fail_delayed(f"run-{number}", at)
        delay = scene.ledger.heals.delay(scene.incident.id)
        assert delay is not None
        at, number = (delay.until - NOW).total_seconds() + 6, number + 1
        scene.tick(at)
        assert at < 2 * PATIENCE
    assert at > PATIENCE
    assert scene.incident.status is IncidentStatus.ESCALATED
    assert "GitHub does not answer" in scene.told()


def test_outage_long_ago_does_not_end_a_heal_that_is_lost_now(scene: Scene) -> None:
    scene.fail_delayed("run-1", 10)
    scene.tick(100)
    scene.server.states["run-2"] = RunState.LOST
    scene.tick(10 * PATIENCE)
    assert not scene.incident.status.ended
    assert list(scene.server.states) == ["run-1", "run-2", "run-3"]


def test_deadlines_hold_while_prefect_is_away(scene: Scene) -> None:
    from tests.unit.test_dispatcher import ask

    ask(scene.ledger, deadline=NOW + timedelta(seconds=10))
    scene.server.away = True
    scene.tick(20)
    stored = scene.ledger.approvals.get("q-1")
    assert stored is not None
    assert stored.answer is not None
