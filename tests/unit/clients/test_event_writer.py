"""Accepted events are committed in groups: told after the commit, each once, and one bad one costs no other."""

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime

import pytest
from sqlalchemy import event as sqlalchemy_event

from tasks.clients.ledger import Ledger, StoredEvent
from tasks.clients.ledger.engine import make_engine
from tasks.clients.ledger.event_writer import EventWriter
from tasks.errors import HealflowError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WAIT = 20


def delivery(name: str) -> StoredEvent:
    return StoredEvent(delivery_id=name, source="events", event_name="x", body=b"{}", received_at=NOW)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def test_each_is_new_once_also_within_one_group(ledger: Ledger) -> None:
    told = [ledger.event_writer.submit(delivery(name)) for name in ("a", "b", "a", "c", "b")]
    assert [one.result(WAIT) for one in told] == [True, True, False, True, False]
    assert ledger.event_writer.submit(delivery("a")).result(WAIT) is False
    assert {event.delivery_id for event in ledger.events.pending()} == {"a", "b", "c"}


def test_what_was_told_is_in_the_ledger_of_any_other_process(ledger: Ledger, ledger_url: str) -> None:
    for number in range(20):
        ledger.event_writer.submit(delivery(f"d-{number}")).result(WAIT)
        other = Ledger.open(ledger_url)
        assert other.events.get(f"d-{number}").body == b"{}"
        other.close()


def test_many_at_once_need_few_commits(ledger: Ledger, ledger_url: str) -> None:
    engine = make_engine(ledger_url)
    commits: list[int] = []
    sqlalchemy_event.listen(engine, "commit", lambda _connection: commits.append(1))
    writer = EventWriter(engine)
    told: list[Future[bool]] = [writer.submit(delivery(f"d-{number}")) for number in range(1000)]
    assert all(one.result(WAIT) for one in told)
    writer.close()
    engine.dispose()
    assert len(commits) < 100


def test_fault_of_the_ledger_is_told_to_all_who_wait_and_the_next_are_served(empty_url: str) -> None:
    engine = make_engine(empty_url)
    writer = EventWriter(engine)
    for told in [writer.submit(delivery(name)) for name in ("a", "b")]:
        with pytest.raises(HealflowError):
            told.result(WAIT)
    Ledger.open(empty_url).close()  # makes the tables that were missing
    assert writer.submit(delivery("c")).result(WAIT) is True
    writer.close()
    engine.dispose()


def test_who_stopped_waiting_before_the_commit_began_is_not_written(ledger: Ledger, ledger_url: str) -> None:
    other = make_engine(ledger_url)
    with other.begin():  # holds the ledger, so that the first group waits
        first = ledger.event_writer.submit(delivery("first"))
        while not first.running():
            pass
        gone = ledger.event_writer.submit(delivery("gone"))
        assert gone.cancel()
    assert first.result(WAIT) is True
    other.dispose()
    ledger.event_writer.close()
    assert [event.delivery_id for event in ledger.events.pending()] == ["first"]


def test_close_commits_what_waits(ledger: Ledger) -> None:
    told = [ledger.event_writer.submit(delivery(f"d-{number}")) for number in range(300)]
    ledger.event_writer.close()
    assert all(one.done() and one.result() for one in told)
