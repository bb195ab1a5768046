"""What still fails of an incident that ends gets one incident, with the end or not at all, and not for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.placing import MAX_GENERATIONS, place_left
from tasks.clients.ledger import Ledger
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome
from tasks.errors import PermanentError
from tasks.remember import read_story
from tasks.settings import IntakeSettings
from tests.fakes.broken_ledger import broken_before
from tests.unit.intake.alerts import alert, bare, notification
from tests.unit.test_placing import Door, gone

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(Ledger.in_folder(tmp_path))


def newest(door: Door) -> Incident:
    return max((one.incident for one in door.ledger.incidents.newest()), key=lambda one: one.opened_at)


def end(door: Door, incident: Incident, *, failing: bool = True, at: datetime = NOW, told: bytes = b"") -> None:
    """What a heal that helped does at its end; `told` arrives while it looks."""
    ledger = door.ledger
    members = ledger.members.of_incident(incident.id)[1:] if failing else ()
    following = place_left(ledger, incident.id, members, settings=IntakeSettings(), now=at)
    if told:
        door.deliver(told, at=at)
    outcome = Outcome(
        incident_id=incident.id,
        fingerprint="f",
        failure_class=FailureClass.UNKNOWN,
        status=IncidentStatus.HEALED,
        action_names=("roll_back_rollout",),
        summary="s",
        seconds=1.0,
        ended_at=at,
    )
    ledger.memory.end(outcome, repository="r", environment="cluster", plan=None, following=following)


def storm(door: Door, count: int) -> Incident:
    door.deliver(notification(*(alert(f"A{n}", labels={"pod": f"cart-{n}"}) for n in range(count))))
    incident = newest(door)
    door.ledger.incidents.set_status(incident.id, IncidentStatus.ACTING)
    return incident


def test_all_that_still_fails_is_one_more_incident_with_one_run(door: Door) -> None:
    first = storm(door, 40)
    end(door, first, at=NOW + timedelta(minutes=5))
    door.tick(NOW + timedelta(minutes=5, seconds=1))
    second = newest(door)
    assert (len(door.ledger.incidents.newest()), len(door.server.runs)) == (2, 2)
    assert door.ledger.members.count(first.id) == 1
    story = read_story(door.ledger, second.id)
    assert (story.member_count, story.members[0].joined_by) == (39, f"after {first.id}")
    assert story.members[0].signal == second.signal
    assert any(f"after {first.id} ended" in entry.what for entry in story.timeline)


def test_what_is_well_leaves_nothing(door: Door) -> None:
    end(door, storm(door, 3), failing=False)
    door.tick(NOW + timedelta(seconds=1))
    assert (len(door.ledger.incidents.newest()), len(door.server.runs)) == (1, 1)


def test_word_that_resolves_what_was_seen_to_fail_ends_it_once_it_is_looked_at(door: Door) -> None:
    first = storm(door, 3)
    door.away = True
    end(door, first, told=gone("A0", "A1", "A2"), at=NOW + timedelta(minutes=1))
    second = newest(door)
    assert (second.id != first.id, second.status) == (True, IncidentStatus.OPEN)
    door.away = False
    door.tick(NOW + timedelta(minutes=5))
    assert newest(door).status is IncidentStatus.RESOLVED


def test_what_resolves_by_a_word_that_counts_while_it_is_looked_at_opens_nothing(door: Door) -> None:
    door.deliver(notification(*(bare(f"A{n}", fingerprint=f"f-A{n}") for n in range(3))))
    first = newest(door)
    door.ledger.incidents.set_status(first.id, IncidentStatus.ACTING)
    end(door, first, told=gone("A0", "A1", "A2"), at=NOW + timedelta(minutes=1))
    assert len(door.ledger.incidents.newest()) == 1


def test_what_was_left_ends_when_its_alert_resolves(door: Door) -> None:
    end(door, storm(door, 3), at=NOW + timedelta(minutes=5))
    door.deliver(gone("A1", "A2"), at=NOW + timedelta(minutes=6))
    assert newest(door).status is IncidentStatus.RESOLVED


def test_further_alerts_join_what_was_left(door: Door) -> None:
    end(door, storm(door, 3), at=NOW + timedelta(minutes=5))
    door.deliver(notification(alert("A1", fingerprint="f-other")), at=NOW + timedelta(minutes=6))
    assert len(door.ledger.incidents.newest()) == 2


def test_incidents_do_not_follow_one_another_for_ever(door: Door) -> None:
    storm(door, 40)
    for minute in range(1, 40):
        door.ledger.incidents.set_status(newest(door).id, IncidentStatus.ACTING)
        end(door, newest(door), at=NOW + timedelta(minutes=minute))
    assert len(door.ledger.incidents.newest()) == 1 + MAX_GENERATIONS
    said = [entry.what for entry in read_story(door.ledger, newest(door).id).timeline]
    assert any("a person has to look" in one for one in said)


def test_end_and_what_it_leaves_are_written_together_or_not_at_all(door: Door, tmp_path: Path) -> None:
    first = storm(door, 3)
    with broken_before(tmp_path, "UPDATE ON members"), pytest.raises(PermanentError):
        end(door, first)
    assert (door.ledger.memory.outcome_of(first.id), door.status()) == (None, IncidentStatus.ACTING)
    end(door, first)
    assert door.ledger.memory.outcome_of(first.id) is not None
    assert len(door.ledger.incidents.newest()) == 2
