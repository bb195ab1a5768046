"""The ledger's database away, in each way that it can be: nothing is accepted that could be lost, and what is said."""

import logging
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.dispatcher import Dispatcher
from tasks.clients.ledger import Ledger
from tasks.clients.ledger import engine as engine_module
from tasks.clients.ledger.engine import make_engine, migrate
from tasks.domain.approval import Answer, Judgement, Refusal
from tasks.errors import TransientError
from tests.doors.test_gateway import event, send
from tests.fakes.postgres import Postgres
from tests.unit.approve.asking import Asked
from tests.unit.test_dispatcher import Server

Away = Callable[[Path], AbstractContextManager[None]]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Somebody else writes and does not come to an end."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def full(file: Path) -> Iterator[None]:
    """Nothing can be written to any file, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def damaged(file: Path) -> Iterator[None]:
    """The file holds something else; its contents come back with a backup."""
    for path in (file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
        path.unlink(missing_ok=True)
    kept = file.read_bytes()
    file.write_bytes(b"this is no database" * 1000)
    yield
    file.write_bytes(kept)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_SECONDS", 0.2)
    opened = Ledger.in_folder(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("away", [locked, full, damaged])
def test_event_is_refused_while_the_ledger_is_away_and_accepted_after(
    ledger: Ledger, tmp_path: Path, away: Away
) -> None:
    ledger.close()  # a new connection for each, as after a while without traffic
    with away(tmp_path / "ledger.db"):
        answer = send(ledger, event())
        ledger.close()
    assert answer.status_code == 503
    assert answer.json() == {
        "error": "the event was not accepted",
        "hint": "the ledger does not answer; the sender may try again",
    }
    assert ledger.events.pending() == ()
    assert send(ledger, event()).status_code == 202
    assert len(ledger.events.pending()) == 1


@pytest.mark.parametrize("away", [locked, full, damaged])
def test_dispatcher_says_once_that_it_waits_and_goes_on_by_itself(
    ledger: Ledger, tmp_path: Path, away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server, now = Server(), datetime.now(UTC)
    dispatcher = Dispatcher(ledger, server)
    assert send(ledger, event()).status_code == 202
    ledger.close()
    with away(tmp_path / "ledger.db"):
        dispatcher.tick(now)
        dispatcher.tick(now)
        ledger.close()
    assert server.runs == {}
    said = [record.message for record in caplog.records if record.name == "healflow.dispatcher"]
    assert len(said) == 1
    assert "Waiting: the ledger at sqlite:///" in said[0]
    dispatcher.tick(now)
    assert len(server.runs) == 1
    assert ledger.events.pending() == ()
    assert any("Going on" in record.message for record in caplog.records)


def test_event_is_refused_while_no_connection_is_left_and_accepted_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POOL_TIMEOUT_SECONDS", 0.05)
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(engine)
    ledger = Ledger(engine)
    held = [engine.connect() for _ in range(15)]
    assert send(ledger, event()).status_code == 503
    for one in held:
        one.close()
    assert ledger.events.pending() == ()
    assert send(ledger, event()).status_code == 202
    ledger.close()


@pytest.fixture
def on_a_server(postgres: Postgres) -> Iterator[Ledger]:
    opened = Ledger.open(postgres.migrated())
    yield opened
    opened.close()


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    """Every connection breaks off, and no new one is made."""
    server.stop()
    try:
        yield
    finally:
        server.start()


def test_event_is_refused_while_a_server_is_stopped_and_accepted_after(on_a_server: Ledger, postgres: Postgres) -> None:
    assert send(on_a_server, event()).status_code == 202
    with stopped(postgres):
        assert send(on_a_server, event(), x_github_delivery="d-2").status_code == 503
    assert [one.delivery_id for one in on_a_server.events.pending()] == ["d-1"], "as it was before"
    assert send(on_a_server, event(), x_github_delivery="d-2").status_code == 202


def test_dispatcher_waits_for_a_server_and_goes_on_by_itself(
    on_a_server: Ledger, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server, now = Server(), datetime.now(UTC)
    dispatcher = Dispatcher(on_a_server, server)
    assert send(on_a_server, event()).status_code == 202
    with stopped(postgres):
        dispatcher.tick(now)
        dispatcher.tick(now)
    assert server.runs == {}
    said = [record.message for record in caplog.records if record.name == "healflow.dispatcher"]
    assert len(said) == 1
    assert "Waiting: the ledger at postgresql://" in said[0]
    dispatcher.tick(now)
    assert len(server.runs) == 1
    assert on_a_server.events.pending() == ()


def test_what_breaks_off_in_the_middle_of_a_transaction_leaves_nothing_of_it(
    on_a_server: Ledger, postgres: Postgres
) -> None:
    def verdict(*_told: object) -> Judgement:
        postgres.stop()
        return Judgement(refusal=Refusal.UNKNOWN, message="never written")

    asked = Asked(on_a_server)
    before = on_a_server.audit.verify().entries
    try:
        with pytest.raises(TransientError):
            on_a_server.approvals.decide(asked.attempt(Answer.APPROVE), verdict)
    finally:
        postgres.start()
    assert on_a_server.audit.verify().entries == before
    assert asked.say(Answer.APPROVE).refusal is None
    assert asked.settled
