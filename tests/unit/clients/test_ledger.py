"""The ledger: refusals first, and that a killed process leaves its intention."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tasks.clients.ledger import Ledger, StoredEvent
from tasks.clients.ledger import engine as engine_module
from tasks.clients.ledger.engine import make_engine
from tasks.clients.ledger.tables import metadata
from tasks.domain.approval import ApprovalRequest
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus, open_incident
from tasks.errors import NotFoundError, SupersededError
from tests.fakes.signals import ci_signal

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = Ledger.open(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
def incident(ledger: Ledger) -> Incident:
    signal = ci_signal(NOW)
    return ledger.incidents.open(open_incident(signal, now=NOW))


@pytest.fixture
def asked(ledger: Ledger, incident: Incident) -> Ledger:
    ledger.approvals.ask(
        ApprovalRequest(
            id="q",
            incident_id=incident.id,
            plan_digest="p",
            question="?",
            asked_at=NOW,
            deadline=NOW + timedelta(hours=1),
        )
    )
    return ledger


def test_folder_that_is_made_for_the_ledger_is_its_owners_alone(tmp_path: Path) -> None:
    Ledger.in_folder(tmp_path / "home")
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_approval_is_used_once(asked: Ledger) -> None:
    assert asked.approvals.use("q", at=NOW)
    assert not asked.approvals.use("q", at=NOW)


@pytest.mark.parametrize("statement", ["UPDATE journal SET document = '{}'", "DELETE FROM journal"])
def test_journal_cannot_be_altered(ledger_url: str, incident: Incident, statement: str) -> None:
    engine = make_engine(ledger_url)
    with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_ended_incident_stays_as_it_ended(ledger: Ledger, incident: Incident) -> None:
    assert ledger.incidents.set_status(incident.id, IncidentStatus.REJECTED)
    assert not ledger.incidents.set_status(incident.id, IncidentStatus.ACTING)
    assert ledger.incidents.get(incident.id).incident.status is IncidentStatus.REJECTED


def test_unknown_or_ambiguous_id_is_said(ledger: Ledger, incident: Incident) -> None:
    for wanted in ("inc-none", "", "%"):
        with pytest.raises(NotFoundError):
            ledger.incidents.get(wanted)


def test_event_is_accepted_once_by_many_at_a_time(ledger: Ledger) -> None:
    event = StoredEvent(delivery_id="d", source="github", event_name="x", body=b"{}", received_at=NOW)
    accepted: list[bool] = []
    threads = [
        threading.Thread(target=lambda: accepted.append(ledger.event_writer.submit(event).result())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(accepted) == [False] * 7 + [True]


def test_intention_outlives_a_crash_and_is_not_written_twice(ledger: Ledger, incident: Incident) -> None:
    diagnosis = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="c", confidence=0, fingerprint="f")
    first = ledger.memory.intend("k", incident, diagnosis, "run_formatter", "before", at=NOW)
    again = ledger.memory.intend("k", incident, diagnosis, "run_formatter", "now different", at=NOW)
    assert first.pre_image == again.pre_image == "before"
    (kept,) = ledger.memory.actions_of(incident.id)
    assert kept.result is None


def test_run_that_was_superseded_may_not_begin_to_act(ledger: Ledger, incident: Incident) -> None:
    diagnosis = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="c", confidence=0, fingerprint="f")
    ledger.incidents.set_flow_run(incident.id, "second")
    with pytest.raises(SupersededError, match="another run"):
        ledger.memory.intend("k", incident, diagnosis, "run_formatter", "before", at=NOW, run_id="first")
    assert ledger.memory.actions_of(incident.id) == ()
    ledger.memory.intend("k", incident, diagnosis, "run_formatter", "before", at=NOW, run_id="second")


def test_heal_keeps_what_it_settled_on_last(ledger: Ledger, incident: Incident) -> None:
    assert ledger.heals.kept(incident.id) is None
    ledger.heals.keep(incident.id, "first")
    ledger.heals.keep(incident.id, "second")
    assert ledger.heals.kept(incident.id) == "second"


def test_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    files = Path(engine_module.__file__).parent.glob("migrations/versions/r*_*.py")
    assert max(file.name[1:5] for file in files) == engine_module.HEAD_REVISION


def test_migrated_schema_is_the_one_that_the_code_uses(ledger_url: str, ledger: Ledger) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = make_engine(ledger_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
