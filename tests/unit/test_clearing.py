"""What events said is deleted after its time, in steps, and never what an open incident may still be explained from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from deployments.clearing import AT_ONCE, STEP, Clearing
from flows.placing import place_signal
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.incident import IncidentStatus, SignalSource
from tasks.settings import IntakeSettings
from tests.fakes.signals import ci_signal

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def accept(ledger: Ledger, name: str, *, at: datetime, status: EventStatus = EventStatus.DISPATCHED) -> None:
    event = StoredEvent(
        delivery_id=name, source="events", event_name="event", body=b"said", received_at=at, status=status
    )
    assert ledger.event_writer.submit(event).result(60)


def open_since(ledger: Ledger, at: datetime) -> str:
    signal = ci_signal(at).model_copy(update={"source": SignalSource.EVENTS, "title": str(at)})
    return place_signal(ledger, signal, settings=IntakeSettings(group_by=()), now=at).incident_id


def clear(ledger: Ledger, *, now: datetime = NOW) -> None:
    clearing = Clearing(ledger, keep=30 * DAY)
    for step in range(10):
        clearing.tick(now + step * STEP)


def kept(ledger: Ledger, name: str) -> bool:
    return ledger.events.get(name).body == b"said"


def test_what_is_not_old_or_not_handed_on_is_kept(ledger: Ledger) -> None:
    accept(ledger, "young", at=NOW - 29 * DAY)
    accept(ledger, "pending", at=NOW - 90 * DAY, status=EventStatus.PENDING)
    accept(ledger, "old", at=NOW - 31 * DAY)
    clear(ledger)
    assert (kept(ledger, "young"), kept(ledger, "pending"), kept(ledger, "old")) == (True, True, False)


def test_what_an_open_incident_may_need_is_kept_until_it_has_ended(ledger: Ledger) -> None:
    for days in (60, 50, 40):
        accept(ledger, f"d-{days}", at=NOW - days * DAY)
    incident_id = open_since(ledger, NOW - 50 * DAY)
    clear(ledger)
    assert [kept(ledger, f"d-{days}") for days in (60, 50, 40)] == [False, True, True]
    ledger.incidents.set_status(incident_id, IncidentStatus.REPORTED)
    clear(ledger)
    assert [kept(ledger, f"d-{days}") for days in (60, 50, 40)] == [False, False, False]


def test_event_is_still_known_when_nothing_is_left_of_what_it_said(ledger: Ledger) -> None:
    accept(ledger, "old", at=NOW - 31 * DAY)
    clear(ledger)
    again = StoredEvent(delivery_id="old", source="events", event_name="event", body=b"said", received_at=NOW)
    assert ledger.event_writer.submit(again).result(60) is False
    assert ledger.events.pending() == ()


def test_many_are_deleted_a_few_at_a_time(ledger: Ledger) -> None:
    names = [f"d-{number}" for number in range(AT_ONCE + 5)]
    for number, name in enumerate(names):
        accept(ledger, name, at=NOW - 40 * DAY + timedelta(seconds=number // 2))
    clearing = Clearing(ledger, keep=30 * DAY)
    clearing.tick(NOW)
    assert sum(kept(ledger, name) for name in names) == 5
    clearing.tick(NOW + STEP / 2)
    assert sum(kept(ledger, name) for name in names) == 5
    clearing.tick(NOW + STEP)
    assert not any(kept(ledger, name) for name in names)
