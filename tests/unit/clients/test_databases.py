"""One ledger, whichever database it stands in: refused with what to do, one writer at a time, nothing that does not fit."""

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import String, func, select
from sqlalchemy.dialects import postgresql

from tasks.clients.ledger import Ledger, StoredEvent
from tasks.clients.ledger import engine as engine_module
from tasks.clients.ledger import postgresql as postgresql_module
from tasks.clients.ledger.engine import make_engine, reading, transaction
from tasks.clients.ledger.tables import audit, metadata
from tasks.domain.grouping import GroupedBy, GroupKey
from tasks.domain.incident import open_incident, signal_key
from tasks.errors import HealflowError, PermanentError, TransientError
from tests.fakes.postgres import Postgres
from tests.fakes.signals import ci_signal

NOW = datetime(2026, 1, 2, tzinfo=UTC)
WAIT = 60


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


def at_once(url: str, *works: Callable[[Ledger], object]) -> list[object]:
    """Each work in a thread with a ledger of its own, as so many processes."""
    begin, told = threading.Barrier(len(works)), []

    def run(work: Callable[[Ledger], object]) -> None:
        own = Ledger.open(url)
        begin.wait(WAIT)
        try:
            told.append(work(own))
        except HealflowError as error:
            told.append(error)
        own.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    return told


@pytest.mark.parametrize("url", ["postgresql://healflow:hunter2@127.0.0.1/x", "postgresql+psycopg://u:hunter2@h/x"])
def test_missing_driver_is_said_with_what_to_install(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)  # an import of it fails as where it is not installed
    with pytest.raises(PermanentError, match=r"pip install 'healflow\[postgres\]'") as refused:
        make_engine(url)
    assert "psycopg" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        *(f"{driver}://u:hunter2@h/x" for driver in ("postgres", "mysql", "postgresql+asyncpg", "sqlite+aiosqlite")),
    ],
)
def test_address_of_no_ledger_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(PermanentError, match="HEALFLOW_DATABASE_URL") as refused:
        make_engine(url)
    assert "hunter2" not in str(refused.value)


def test_no_connection_left_is_worth_another_try(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "POOL_TIMEOUT_SECONDS", 0.01)
    engine = make_engine(ledger_url)
    held = [engine.connect() for _ in range(15)]
    with pytest.raises(TransientError, match="in use"), transaction(engine):
        pytest.fail("there is no connection left")
    for one in held:
        one.close()
    with transaction(engine):
        pass
    engine.dispose()


def test_database_that_cannot_hold_every_text_is_refused(postgres: Postgres) -> None:
    with pytest.raises(PermanentError, match="ENCODING 'UTF8'"):
        Ledger.open(postgres.empty(encoding="LATIN1"))


@pytest.mark.parametrize("revision", [f"{number:04}" for number in range(1, int(engine_module.HEAD_REVISION))])
def test_ledger_of_any_revision_is_brought_to_the_newest(empty_url: str, revision: str) -> None:
    from alembic import command
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext

    engine, config = make_engine(empty_url), Config()
    config.set_main_option("script_location", str(Path(engine_module.__file__).parent / "migrations"))
    with transaction(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    Ledger.open(empty_url).close()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_processes_that_start_at_once_make_the_tables_once(empty_url: str) -> None:
    assert at_once(empty_url, *[lambda one: one.incidents.newest()] * 4) == [()] * 4


def test_one_failure_told_at_once_by_many_is_one_incident(ledger: Ledger, ledger_url: str) -> None:
    incident = open_incident(ci_signal(NOW), now=NOW)
    told = at_once(ledger_url, *[lambda one: one.incidents.open(incident).id] * 6)
    assert told == [incident.id] * 6
    assert len(ledger.incidents.journal(incident.id)) == 1


def test_one_of_many_gets_a_lease(ledger: Ledger, ledger_url: str) -> None:
    def take(holder: str) -> Callable[[Ledger], object]:
        return lambda one: one.leases.take("shop/cart", holder, now=NOW, seconds=60)

    told = at_once(ledger_url, *[take(f"inc-{number}") for number in range(6)])
    assert len(set(told)) == 1
    assert told[0] == ledger.leases.take("shop/cart", "inc-late", now=NOW, seconds=60)


def test_member_told_at_once_by_many_is_added_once(ledger: Ledger, ledger_url: str) -> None:
    signal = ci_signal(NOW)
    incident = ledger.incidents.open(open_incident(signal, now=NOW))
    keys = (GroupKey(by=GroupedBy.COMMIT, value="c"),)

    def add(one: Ledger) -> bool:
        return one.members.add(incident.id, signal, key=signal_key(signal), joined_by=None, keys=keys, at=NOW)

    assert sorted(at_once(ledger_url, *[add] * 6), key=bool) == [False] * 5 + [True]


def test_trail_that_many_write_at_once_from_its_first_entry_on_is_whole(ledger: Ledger, ledger_url: str) -> None:
    def write(one: Ledger) -> None:
        for number in range(10):
            one.audit.write("test", incident_id="", actor="ada", document={"number": number}, at=NOW)

    assert at_once(ledger_url, *[write] * 4) == [None] * 4
    report = ledger.audit.verify()
    assert (report.problem, report.entries) == ("", 40)


def test_event_that_two_processes_accept_at_once_is_new_to_one(ledger: Ledger, ledger_url: str) -> None:
    event = StoredEvent(delivery_id="d", source="github", event_name="x", body=bytes(range(256)), received_at=NOW)
    told = at_once(ledger_url, *[lambda one: one.event_writer.submit(event).result(WAIT)] * 4)
    assert sorted(told, key=bool) == [False] * 3 + [True]
    assert ledger.events.get("d").body == bytes(range(256))


def test_reader_waits_for_no_writer_and_sees_one_state(ledger: Ledger, ledger_url: str) -> None:
    engine, count = make_engine(ledger_url), select(func.count()).select_from(audit)
    with reading(engine) as connection:
        assert connection.execute(count).scalar() == 0
        ledger.audit.write("test", incident_id="", actor="ada", document={}, at=NOW)
        assert connection.execute(count).scalar() == 0
    with transaction(engine):
        assert ledger.audit.verify().entries == 1
        assert ledger.approvals.get("none") is None
    engine.dispose()


def write(ledger: Ledger) -> None:
    ledger.audit.write("test", incident_id="", actor="ada", document={}, at=NOW)


def test_writer_that_another_one_holds_up_is_told_to_try_again(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.migrated()
    monkeypatch.setattr(postgresql_module, "LOCK_TIMEOUT_SECONDS", 1)
    stuck, ledger = make_engine(url), Ledger.open(url)
    with transaction(stuck), pytest.raises(TransientError, match="lock timeout"):
        write(ledger)
    assert ledger.audit.verify().entries == 0
    ledger.close()
    stuck.dispose()


def test_writer_that_falls_silent_in_the_middle_holds_nobody_up_for_ever(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.migrated()
    ledger = Ledger.open(url)  # its connection waits as long as ever
    monkeypatch.setattr(postgresql_module, "IDLE_TIMEOUT_SECONDS", 1)
    silent = make_engine(url)
    with pytest.raises(TransientError), transaction(silent) as connection:
        write(ledger)  # goes on when the server has ended the other one
        assert ledger.audit.verify().entries == 1
        connection.execute(select(func.count()).select_from(audit))
    ledger.close()
    silent.dispose()


LONG = "topic-of-a-queue-" * 60


def test_keys_that_are_longer_than_their_column_are_told_apart_and_found(ledger: Ledger) -> None:
    signal = ci_signal(NOW)
    incident = ledger.incidents.open(open_incident(signal, now=NOW))
    mine, other = (GroupKey(by=GroupedBy.DEPENDENCY, value=LONG + end) for end in ("a", "b"))
    assert ledger.members.add(incident.id, signal, key=signal_key(signal), joined_by=mine, keys=(mine,), at=NOW)
    assert [one.incident_id for one in ledger.members.gatherings((mine,))] == [incident.id]
    assert ledger.members.gatherings((other,)) == ()
    assert ledger.leases.take(LONG + "a", "inc-1", now=NOW, seconds=60) == "inc-1"
    assert ledger.leases.take(LONG + "b", "inc-2", now=NOW, seconds=60) == "inc-2"
    assert ledger.leases.take(LONG + "a", "inc-3", now=NOW, seconds=60) == "inc-1"


@pytest.mark.parametrize("odd", ["before \x00 after", "before \ud800 after"])
def test_text_that_no_database_holds_is_kept_as_far_as_one_can(ledger: Ledger, odd: str) -> None:
    signal = ci_signal(NOW)
    incident = ledger.incidents.open(open_incident(signal, now=NOW))
    assert "after" in ledger.heals.postpone(incident.id, odd, now=NOW).reason
    kept = ledger.heals.delay(incident.id)
    assert kept is not None
    assert kept.reason in ("before \ufffd after", "before ? after")
    ledger.audit.write("test", incident_id=incident.id, actor=odd, document={"said": "a\x00b"}, at=NOW)
    assert ledger.audit.verify().problem == ""
    key = GroupKey(by=GroupedBy.DEPENDENCY, value="a\x00b")
    ledger.members.add(incident.id, signal, key=signal_key(signal), joined_by=None, keys=(key,), at=NOW)
    assert len(ledger.members.gatherings((key,))) == 1


def test_times_sort_alike_with_and_without_a_fraction_of_a_second(ledger: Ledger) -> None:
    moments = [
        NOW + timedelta(seconds=seconds, microseconds=micro) for seconds in (0, 1, 59, 60) for micro in (0, 1, 999_999)
    ]
    for number, moment in enumerate(reversed(moments)):
        event = StoredEvent(delivery_id=f"d-{number}", source="x", event_name="x", body=b"", received_at=moment)
        assert ledger.event_writer.submit(event).result(WAIT)
    assert [event.received_at for event in ledger.events.pending(limit=50)] == moments


def test_each_time_of_a_table_sorts_by_its_bytes() -> None:
    columns = [column for table in metadata.tables.values() for column in table.columns]
    times = [one for one in columns if isinstance(one.type, String) and one.type.length == 40]
    assert len(times) > 20
    assert {one.type.dialect_impl(postgresql.dialect()).collation for one in times} == {"C"}
