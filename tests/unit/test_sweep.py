"""What no webhook told is found, taken once, and nothing of before the first look."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deployments.lost_webhooks import GithubFailures, PrefectFailures, lost_webhooks
from flows.placing import place_signal
from flows.sweep import Sweep
from tasks.clients.ledger import Ledger, StoredEvent
from tasks.domain.incident import Signal
from tasks.errors import PermanentError, TransientError
from tasks.intake import parse_github
from tasks.settings import GithubSettings, IntakeSettings, Settings
from tests.fakes.github import REPOSITORY, serving
from tests.unit.clients.github.conftest import client_of
from tests.unit.intake import payloads

NOW = payloads.NOW
HOUR = timedelta(hours=1)


class Told:
    """A source whose failures a test puts there."""

    name = "told"

    def __init__(self) -> None:
        self.found: list[StoredEvent] = []
        self.error: Exception | None = None
        self.asked: list[datetime] = []

    def failures(self, since: datetime, *, now: datetime) -> Sequence[StoredEvent]:
        self.asked.append(since)
        if self.error is not None:
            raise self.error
        return self.found

    def fail(self, delivery_id: str = "sweep:1:1", **changes: object) -> bytes:
        body = json.dumps(payloads.workflow_run(**changes)).encode()
        event = StoredEvent(
            delivery_id=delivery_id, source="github", event_name="workflow_run", body=body, received_at=NOW
        )
        self.found.append(event)
        return body


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.in_folder(tmp_path)


@pytest.fixture
def source() -> Told:
    return Told()


@pytest.fixture
def sweep(ledger: Ledger, source: Told) -> Sweep:
    return Sweep(ledger, lambda: [source], every=timedelta(minutes=5), most_back=24 * HOUR)


def pending(ledger: Ledger) -> list[str]:
    return [event.delivery_id for event in ledger.events.pending(limit=9)]


def test_nothing_of_before_the_first_look_is_healed(ledger: Ledger, source: Told, sweep: Sweep) -> None:
    source.fail()
    sweep.tick(NOW)
    assert source.asked == []
    assert pending(ledger) == []


def test_what_failed_since_is_accepted_once(ledger: Ledger, source: Told, sweep: Sweep) -> None:
    sweep.tick(NOW)
    source.fail()
    sweep.tick(NOW + timedelta(minutes=1))
    assert pending(ledger) == [], "its time has not come"
    for minutes in (5, 10, 15):
        sweep.tick(NOW + timedelta(minutes=minutes))
    assert pending(ledger) == ["sweep:1:1"]


def test_it_is_not_asked_at_each_tick_which_sources_there_are(ledger: Ledger, source: Told) -> None:
    asked: list[int] = []

    def sources() -> list[Told]:
        asked.append(1)
        return [source]

    sweep = Sweep(ledger, sources, every=HOUR, most_back=24 * HOUR)
    for seconds in range(0, 1_800, 5):
        sweep.tick(NOW + timedelta(seconds=seconds))
    assert len(asked) == 2


def test_what_a_webhook_told_under_another_id_is_not_taken_again(ledger: Ledger, source: Told, sweep: Sweep) -> None:
    sweep.tick(NOW)
    told = parse_github("workflow_run", "d-1", source.fail(), now=NOW)
    assert isinstance(told, Signal)
    place_signal(ledger, told, settings=IntakeSettings(), now=NOW)
    sweep.tick(NOW + HOUR)
    assert pending(ledger) == []


@pytest.mark.parametrize("changes", [{"conclusion": "success"}, {"head_branch": "healflow/inc-1"}])
def test_what_is_no_failure_to_heal_is_not_taken(
    ledger: Ledger, source: Told, sweep: Sweep, changes: dict[str, object]
) -> None:
    sweep.tick(NOW)
    source.fail(**changes)
    sweep.tick(NOW + HOUR)
    assert pending(ledger) == []


def test_what_cannot_be_read_keeps_nothing_else(ledger: Ledger, source: Told, sweep: Sweep) -> None:
    sweep.tick(NOW)
    source.fail("sweep:1:1", head_sha="no commit")
    source.fail("sweep:2:1")
    sweep.tick(NOW + HOUR)
    assert pending(ledger) == ["sweep:2:1"]


@pytest.mark.parametrize("error", [TransientError("away"), PermanentError("forbidden")])
def test_source_that_is_away_is_read_from_where_it_was_left_and_said_once(
    ledger: Ledger, source: Told, sweep: Sweep, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sweep.tick(NOW)
    source.error = error
    for minutes in (5, 6, 7):
        sweep.tick(NOW + timedelta(minutes=minutes))
    source.error = None
    source.fail()
    sweep.tick(NOW + timedelta(minutes=8))
    assert pending(ledger) == ["sweep:1:1"]
    assert source.asked == [NOW - timedelta(minutes=15)] * 4, "with a margin for clocks"
    said = [record.message for record in caplog.records]
    assert sum("is not read for what webhooks did not tell" in one for one in said) == 1
    assert "told is read again" in said


def test_what_is_older_than_the_bound_is_left_alone(ledger: Ledger, source: Told, sweep: Sweep) -> None:
    sweep.tick(NOW)
    sweep.tick(NOW + 100 * HOUR)
    assert source.asked == [NOW + 76 * HOUR]


def test_repositories_are_those_of_the_settings_and_those_that_failed(ledger: Ledger) -> None:
    settings = Settings(github=GithubSettings(repositories=("acme/api", "Octo/Shop")))
    failed = parse_github("workflow_run", "d-1", json.dumps(payloads.workflow_run()).encode(), now=NOW)
    assert isinstance(failed, Signal)
    place_signal(ledger, failed, settings=IntakeSettings(), now=NOW)
    with serving() as fake, client_of(fake) as github:
        names = [one.name for one in lost_webhooks(settings, ledger, github)]
    assert names == ["prefect", "github:acme/api", "github:octo/shop"]
    assert [one.name for one in lost_webhooks(settings, ledger, None)] == [PrefectFailures.name]


def test_failed_run_on_github_that_no_webhook_told_becomes_an_incident(ledger: Ledger) -> None:
    with serving() as fake, client_of(fake) as github:
        fake.run(fake.commit("main", {"shop.py": "x=1\n"}, message="Open the shop"))
        at = datetime.fromisoformat("2026-01-02T10:10:00+00:00")
        ledger.bookmarks.put(f"github:{REPOSITORY}", at - timedelta(minutes=5))
        source = GithubFailures(github, REPOSITORY)
        Sweep(ledger, lambda: [source], every=HOUR, most_back=HOUR).tick(at)
    (event,) = ledger.events.pending()
    assert event.event_name == "workflow_run"
