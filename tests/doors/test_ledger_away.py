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
from deployments.slack.pressing import Press
from tasks.clients.ledger import Ledger
from tasks.clients.ledger import engine as engine_module
from tasks.clients.ledger.engine import make_engine, migrate
from tasks.domain.approval import Answer, Judgement, Refusal
from tasks.errors import TransientError
from tests.doors.paging import Paged, seal_of
from tests.doors.test_gateway import event, send
from tests.fakes.postgres import Postgres
from tests.unit.approve.asking import Asked
from tests.unit.approve.telling import Told
from tests.unit.comments.remarks import remarked
from tests.unit.slack.scene import GRACE, in_slack
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
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is locked is an error soon, so that it is we who wait and not SQLite."""
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_SECONDS", 0.2)


@pytest.fixture
def ledger(impatient: None, tmp_path: Path) -> Iterator[Ledger]:
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


@contextmanager
def without_ledger(told: Told, folder: Path, away: Away) -> Iterator[None]:
    """New connections for all that is asked of the ledger meanwhile, and after."""
    told.ledger.close()
    with away(folder / "ledger.db"):
        yield
        told.ledger.close()
    assert not told.settled
    assert told.trail() == []


@pytest.mark.parametrize("away", [locked, full, damaged])
def test_press_in_slack_records_nothing_while_the_ledger_is_away_and_it_is_said(
    impatient: None, tmp_path: Path, away: Away
) -> None:
    with in_slack(tmp_path) as scene:
        scene.show()
        with without_ledger(scene.told, tmp_path, away):
            assert scene.press().status == 200
            assert scene.whispered.startswith("Nothing was recorded: the ledger at ")
            assert scene.whispered.endswith("Try again.")
        scene.press()
        assert scene.told.trail() == ["answer.recorded"]


def test_forms_and_commands_in_slack_do_nothing_while_the_ledger_is_away_and_it_is_said(
    impatient: None, tmp_path: Path
) -> None:
    with in_slack(tmp_path) as scene:
        form = scene.open_form(Press.REJECT)
        with without_ledger(scene.told, tmp_path, damaged):
            scene.server.submit(form, {"reason": "not now"})
            assert scene.whispered.startswith("Nothing was recorded: the ledger at ")
            scene.press(Press.EDIT)
            assert scene.whispered.startswith("The form could not be opened: the ledger at ")
            scene.server.command(GRACE, f"approve {scene.told.incident.id}")
            assert scene.whispered.startswith("Nothing was done: the ledger at ")
        scene.server.command(GRACE, f"approve {scene.told.incident.id}")
        assert scene.told.trail() == ["answer.recorded"]


@pytest.mark.parametrize("away", [locked, full, damaged])
def test_approval_page_records_nothing_while_the_ledger_is_away_and_says_so(
    impatient: None, tmp_path: Path, away: Away
) -> None:
    asked = Paged(tmp_path)
    token = asked.token()
    seal = seal_of(asked.get(token).text)
    with without_ledger(asked, tmp_path, away):
        answer = asked.post(token, {"seal": seal, "answer": "approve"})
        assert answer.status_code == 503
        assert "Nothing was recorded; try again in a minute" in answer.text
    assert asked.post(token, {"seal": seal, "answer": "approve"}).status_code == 303
    assert asked.settled


def test_comment_waits_while_the_ledger_is_away_and_counts_once_after(
    impatient: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with remarked(tmp_path) as scene:
        scene.say_on_github(f"/healflow approve {scene.incident.id}", judged=False)
        with without_ledger(scene, tmp_path, locked):
            scene.tick()
            assert "Comments on GitHub wait: the ledger at " in caplog.text
        scene.tick(after=60)
        assert scene.trail() == ["answer.recorded"]
        assert len(scene.replies) == 1
