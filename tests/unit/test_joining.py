"""Two failures of one cause whose names do not tell of each other: one heal, whoever is triaged first, and none lost."""

from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from flows.placing import place_left
from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ObjectRef
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.grouping import GroupedBy
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome
from tasks.errors import OvertakenError, PermanentError
from tasks.intake import cause_keys
from tasks.remember import read_story
from tasks.remember.ending import end_incident
from tasks.remember.record import joined_outcome, unhealed_outcome
from tasks.settings import IntakeSettings
from tests.fakes.broken_ledger import broken_before
from tests.unit.intake.alerts import alert, notification
from tests.unit.test_placing import NOW, Door

CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")
OTHER = ObjectRef(kind="Deployment", namespace="shop", name="mailer")
FRONT = ObjectRef(kind="Service", namespace="shop", name="front")


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(Ledger.in_folder(tmp_path))


def opened(door: Door, label: str, name: str, *, at: datetime = NOW) -> Incident:
    apart = {"groupLabels": {"n": name}, "groupKey": f"{label}-{name}"}
    labels = {"namespace": "shop", label: name, "alertname": f"{label}-{name}", "severity": "warning"}
    door.deliver(notification(alert(fingerprint=f"f-{label}-{name}") | {"labels": labels}, **apart), at=at)
    return max((one.incident for one in door.ledger.incidents.newest()), key=lambda one: one.opened_at)


def pair(door: Door) -> tuple[Incident, Incident]:
    """An alert of a Deployment, and one of a Service that is called otherwise."""
    first = opened(door, "deployment", "cart")
    second = opened(door, "service", "front", at=later(1))
    assert first.id != second.id
    return first, second


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def triaged(ledger: Ledger, incident: Incident, cause: ObjectRef = CART, *victims: ObjectRef) -> str | None:
    """What a heal does once it knows what has to change; returns what it joined."""
    diagnosis = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="c", confidence=0.0, fingerprint="f")
    about = cause_keys(incident.signal, cause, victims)
    return ledger.joining.settle(
        incident.id,
        shared=[key for key in about if key.by is GroupedBy.CAUSE],
        about=about,
        end=lambda home: joined_outcome(incident, diagnosis, home, now=later(2)),
        repository="r",
        environment="cluster",
        at=later(2),
    )


def status(door: Door, incident: Incident) -> IncidentStatus:
    return door.ledger.incidents.get(incident.id).incident.status


def healed(door: Door, incident: Incident, *, failing: bool, members_seen: int | None = None) -> None:
    """The end of a heal that helped; `failing` is what its other failures look like then."""
    ledger = door.ledger
    others = ledger.members.of_incident(incident.id)[1:] if failing else ()
    following = place_left(ledger, incident.id, others, settings=IntakeSettings(), now=later(9))
    outcome = unhealed_outcome(incident, "it was healed", fingerprint="f", now=later(9))
    outcome = outcome.model_copy(update={"status": IncidentStatus.HEALED})
    end_incident(ledger, incident, outcome, plan=None, following=following, members_seen=members_seen)


@pytest.mark.parametrize("swapped", [False, True])
def test_whoever_is_triaged_second_joins_whoever_was_first(door: Door, swapped: bool) -> None:
    first, second = reversed(pair(door)) if swapped else pair(door)
    assert triaged(door.ledger, first) is None
    assert triaged(door.ledger, second) == first.id
    assert (status(door, first), status(door, second)) == (IncidentStatus.OPEN, IncidentStatus.JOINED)
    story = read_story(door.ledger, first.id)
    assert [one.signal for one in story.members] == [first.signal, second.signal]
    assert story.members[1].joined_by == "cause Deployment/shop/cart"
    ended = door.ledger.memory.outcome_of(second.id)
    assert ended is not None
    assert first.id in ended.summary


def test_other_causes_are_other_heals(door: Door) -> None:
    first, second = pair(door)
    assert triaged(door.ledger, first, CART, FRONT) is None
    assert triaged(door.ledger, second, OTHER) is None


def test_what_has_ended_is_joined_by_nothing(door: Door) -> None:
    first, second = pair(door)
    assert triaged(door.ledger, first) is None
    healed(door, first, failing=False)
    assert triaged(door.ledger, second) is None


def test_heal_that_begins_again_stays_what_others_have_joined(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    assert triaged(door.ledger, first) is None
    assert triaged(door.ledger, second) is None, "it has ended, so that it is left alone"
    assert (status(door, first), door.ledger.members.count(first.id)) == (IncidentStatus.OPEN, 2)


def test_incident_that_waits_for_a_person_or_acts_takes_others_and_joins_none(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    for state in (IncidentStatus.WAITING, IncidentStatus.ACTING):
        door.ledger.incidents.set_status(first.id, state)
    door.ledger.incidents.set_status(second.id, IncidentStatus.ACTING)
    assert triaged(door.ledger, second) is None
    door.ledger.incidents.set_status(second.id, IncidentStatus.TRIAGED)
    assert triaged(door.ledger, second) == first.id


def test_alert_of_what_suffers_by_the_cause_that_was_found_joins_at_once(door: Door) -> None:
    first = opened(door, "deployment", "cart")
    triaged(door.ledger, first, CART, FRONT)
    opened(door, "service", "front", at=later(30))
    (only,) = door.ledger.incidents.newest()
    assert door.ledger.members.count(only.incident.id) == 2


def test_what_tells_of_it_again_goes_where_it_went(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    again = alert(fingerprint="f-service-front", startsAt="2026-03-01T12:20:00Z")
    door.deliver(notification(again, groupLabels={}), at=later(21))
    assert len(door.ledger.incidents.newest()) == 2
    assert door.ledger.members.count(first.id) == 3


def test_alert_that_was_on_its_way_to_what_joined_arrives(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    late = second.signal.model_copy(update={"fingerprint": "f-late"})
    assert door.ledger.members.add(second.id, late, key="k-late", joined_by=None, keys=(), at=later(3))
    assert door.ledger.members.incident_of("k-late") == first.id


def test_end_of_the_second_alert_leaves_the_first_and_both_ends_end_it(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    for minute, one in ((3, second), (4, first)):
        assert status(door, first) is IncidentStatus.OPEN
        labels = {"labels": {"namespace": "shop"}, "fingerprint": one.signal.fingerprint}
        door.deliver(notification(alert(status="resolved") | labels), at=later(minute))
    assert status(door, first) is IncidentStatus.RESOLVED


def test_what_still_fails_after_the_other_was_healed_gets_its_own_heal(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    runs = len(door.server.runs)
    healed(door, first, failing=True)
    assert status(door, second) is IncidentStatus.OPEN
    assert door.ledger.memory.outcome_of(second.id) is None, "its run finds nothing that says that it ended"
    assert door.ledger.members.count(second.id) == 1
    door.tick(later(10))
    assert len(door.server.runs) == runs + 1
    assert triaged(door.ledger, second) is None
    assert door.ledger.members.add(second.id, second.signal, key="k", joined_by=None, keys=(), at=later(11))
    assert door.ledger.members.incident_of("k") == second.id


def test_what_is_well_after_the_other_was_healed_stays_ended(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    healed(door, first, failing=False)
    assert status(door, second) is IncidentStatus.JOINED


def test_failure_that_joins_while_the_others_are_looked_at_is_looked_at_too(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    door.ledger.incidents.set_status(first.id, IncidentStatus.ACTING)
    seen = door.ledger.members.count(first.id)
    triaged(door.ledger, second)
    with pytest.raises(OvertakenError):
        healed(door, first, failing=False, members_seen=seen)
    assert (status(door, first), door.ledger.memory.outcome_of(first.id)) == (IncidentStatus.ACTING, None)
    healed(door, first, failing=True, members_seen=seen + 1)
    assert (status(door, first), status(door, second)) == (IncidentStatus.HEALED, IncidentStatus.OPEN)


def test_first_heal_that_dies_for_good_tells_a_person_of_both(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    escalated = unhealed_outcome(first, "3 runs were lost", fingerprint="f", now=later(9))
    end_incident(door.ledger, first, escalated, plan=None)
    told = [one.signal.title for one in read_story(door.ledger, first.id).members]
    assert told == [first.signal.title, second.signal.title]


@pytest.mark.parametrize("step", ["INSERT ON outcomes", "UPDATE ON members", "INSERT ON group_keys", "INSERT ON audit"])
def test_process_that_is_killed_while_it_joins_has_not_joined_and_does_when_it_is_back(
    door: Door, tmp_path: Path, step: str
) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    with broken_before(tmp_path, step), pytest.raises(PermanentError):
        triaged(door.ledger, second)
    assert (status(door, second), door.ledger.memory.outcome_of(second.id)) == (IncidentStatus.OPEN, None)
    assert [door.ledger.members.count(one.id) for one in (first, second)] == [1, 1]
    assert triaged(door.ledger, second) == first.id


def test_experience_of_a_cause_is_not_that_something_joined_it(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    assert door.ledger.memory.similar("f") == ()


def _triage_all(folder: str, ids: list[str]) -> list[str | None]:
    ledger = Ledger.in_folder(Path(folder))
    return [
        triaged(ledger, ledger.incidents.get(one).incident, CART.model_copy(update={"name": f"cart-{number}"}))
        for number, one in enumerate(ids)
    ]


def test_of_two_that_are_triaged_at_once_in_two_processes_one_joins_the_other(door: Door, tmp_path: Path) -> None:
    at = [NOW + timedelta(milliseconds=n) for n in range(24)]
    pairs = [
        [
            opened(door, label, f"{label}-{n}", at=at[2 * n + part]).id
            for part, label in enumerate(("deployment", "service"))
        ]
        for n in range(12)
    ]
    sides = [[both[side] for both in pairs] for side in (0, 1)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        joined = list(pool.map(_triage_all, [str(tmp_path)] * 2, sides))
    for both, homes in zip(pairs, zip(*joined, strict=True), strict=True):
        assert sorted(homes, key=str) == sorted([None, both[homes.index(None)]], key=str), homes
        assert sorted(door.ledger.members.count(one) for one in both) == [0, 2]


def test_outcome_of_what_joined_is_an_end(door: Door) -> None:
    first, second = pair(door)
    triaged(door.ledger, first)
    triaged(door.ledger, second)
    later_end: Outcome = unhealed_outcome(second, "its run came late", fingerprint="f", now=later(9))
    assert end_incident(door.ledger, second, later_end, plan=None).status is IncidentStatus.JOINED
