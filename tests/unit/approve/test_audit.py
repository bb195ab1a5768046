"""The audit trail: whatever was done to it behind our back is found, and said where."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tasks.clients.ledger.engine import make_engine
from tasks.domain.approval import Answer
from tasks.domain.audit import GENESIS
from tests.unit.approve.asking import NOW, Asked

pytestmark = pytest.mark.each_database
UrlOf = Callable[[Path], str]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    waiting = Asked(tmp_path)
    for number in range(3):
        waiting.ledger.incidents.note(waiting.incident.id, f"note {number}", at=NOW)
    waiting.say(Answer.APPROVE)
    assert waiting.ledger.audit.verify().problem == ""
    assert waiting.ledger.audit.verify().entries == 5
    yield waiting


def tamper(url: str, statements: str) -> None:
    engine = make_engine(url)
    guards = [(table, f"{table}_no_{verb}") for table in ("audit", "journal") for verb in ("UPDATE", "DELETE")]
    drops = [f"DROP TRIGGER {guard}" + (f" ON {table}" if engine.name != "sqlite" else "") for table, guard in guards]
    try:
        with engine.begin() as connection:
            for statement in (*drops, *statements.split(";")):
                connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ("UPDATE audit SET actor = 'ada' WHERE sequence = 5", "entry 5 (answer.recorded"),
        ("UPDATE audit SET at = '2026-01-01T00:00:00+00:00' WHERE sequence = 2", "entry 2 (journal"),
        ("DELETE FROM audit WHERE sequence = 3", "entry 3 is missing"),
        ("DELETE FROM audit WHERE sequence = 1", "entry 1 is missing"),
        (
            "UPDATE audit SET sequence = 99 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3;"
            "UPDATE audit SET sequence = 3 WHERE sequence = 99",
            "entry 2 (journal",
        ),
        ("DELETE FROM audit WHERE sequence = 5", "the end is cut off: 5 entries were written, and 4 are left"),
        (
            "DELETE FROM audit WHERE sequence = 5; UPDATE audit_head SET count = 4",
            "the head does not fit",
        ),
        (
            "INSERT INTO audit SELECT 6, at, kind, incident_id, actor, document, hash FROM audit WHERE sequence = 5",
            "entry 6",
        ),
        (
            "UPDATE audit SET sequence = -sequence - 1 WHERE sequence >= 3; UPDATE audit SET sequence = -sequence WHERE sequence < 0;"
            "INSERT INTO audit SELECT 3, at, kind, incident_id, actor, document, hash FROM audit WHERE sequence = 2",
            "entry 3 (journal",
        ),
        ("DELETE FROM audit WHERE sequence > 3", "the end is cut off: 5 entries were written, and 3 are left"),
        ("DELETE FROM audit", "the end is cut off"),
        ("DELETE FROM audit_head", "the head does not fit"),
        ("UPDATE journal SET document = '{}' WHERE sequence = 2", "line 2 of the journal (note"),
        ("DELETE FROM journal WHERE sequence = 3", "was deleted"),
        (
            "INSERT INTO journal (incident_id, kind, at, document) SELECT incident_id, kind, at, 'x' FROM journal WHERE sequence = 1",
            "line 5 of the journal was added past the trail",
        ),
        ("DELETE FROM audit; DELETE FROM audit_head", "the trail is empty, and the journal has 4 lines"),
        (f"DELETE FROM audit; UPDATE audit_head SET count = 0, hash = '{GENESIS}'", "the trail is empty"),
        (
            """UPDATE approvals SET answer = replace(answer, '"answer":"approve"', '"answer":"approve_and_merge"')""",
            "(approve_and_merge by grace) was written past the trail",
        ),
        (
            """UPDATE approvals SET answer = replace(answer, '"person":"grace"', '"person":"ada"')""",
            "was written past the trail",
        ),
        ("""UPDATE votes SET document = replace(document, 'grace', 'linus')""", "(approve by linus) was written past"),
    ],
)
def test_tampering_is_found_and_said_where(
    asked: Asked, database: UrlOf, tmp_path: Path, statements: str, found: str
) -> None:
    tamper(database(tmp_path), statements)
    assert found in asked.ledger.audit.verify().problem


def test_trail_that_was_begun_anew_is_found_once_more_is_written(asked: Asked, database: UrlOf, tmp_path: Path) -> None:
    tamper(database(tmp_path), "DELETE FROM audit; DELETE FROM audit_head")
    asked.ledger.incidents.note(asked.incident.id, "and on it goes", at=NOW)
    assert "line 1 of the journal was added past the trail" in asked.ledger.audit.verify().problem


def test_trail_cut_with_its_head_is_found_by_an_anchor_kept_elsewhere(
    asked: Asked, database: UrlOf, tmp_path: Path
) -> None:
    before = asked.ledger.audit.verify()
    kept = asked.ledger.audit.entries()[2]
    tamper(
        database(tmp_path),
        f"DELETE FROM audit WHERE sequence > 3; UPDATE audit_head SET count = 3, hash = '{kept.hash}';"
        "DELETE FROM journal WHERE sequence > 3; UPDATE approvals SET answer = NULL; DELETE FROM votes",
    )
    assert asked.ledger.audit.verify().problem == ""
    problem = asked.ledger.audit.verify(anchor=(before.entries, before.head)).problem
    assert problem == "the trail was replaced: entry 5 is not the one that the anchor names"


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_trail_cannot_be_altered_in_passing(asked: Asked, database: UrlOf, tmp_path: Path, statement: str) -> None:
    engine = make_engine(database(tmp_path))
    with pytest.raises(IntegrityError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
