"""What its sender calls well again is looked at: an end in words ends no incident whose failure still shows."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deployments.dispatcher import RunState
from deployments.looking import Looks
from flows.resolving import end_by_itself, look_at
from tasks.clients.ledger import Ledger, StoredEvent
from tasks.domain.approval import Answer, ApprovalRequest
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome
from tasks.errors import PermanentError
from tasks.remember import read_story
from tests.unit.intake.alerts import alert, bare, notification
from tests.unit.intake.payloads import workflow_run
from tests.unit.test_placing import NOW, Door
from tests.unit.verify.test_cluster import state

pytestmark = pytest.mark.each_database

BROKEN, WELL = state(cart=0), state()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(Ledger.in_folder(tmp_path))


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def of_cart(name: str = "A", **changes: Any) -> dict[str, Any]:
    return alert(name, labels={"deployment": "cart"}, **changes)


def gone(name: str = "A", **changes: Any) -> bytes:
    return notification(of_cart(name, status="resolved", **changes), status="resolved")


def waiting(door: Door, shows: ClusterSnapshot) -> tuple[Incident, ApprovalRequest]:
    """An incident that waits for a person, while the cluster shows that."""
    door.cluster = shows
    door.deliver(notification(of_cart()))
    request = door.ask()
    door.server.states["run-1"] = RunState.WAITING
    (only,) = door.ledger.incidents.newest()
    return only.incident, request


def told(door: Door) -> list[str]:
    (only,) = door.ledger.incidents.newest()
    return [entry.what for entry in read_story(door.ledger, only.incident.id).timeline]


def outcome(door: Door) -> Outcome | None:
    (only,) = door.ledger.incidents.newest()
    return door.ledger.memory.outcome_of(only.incident.id)


def answer(door: Door, request: ApprovalRequest) -> Answer | None:
    stored = door.ledger.approvals.get(request.id)
    assert stored is not None
    return stored.answer.answer if stored.answer is not None else None


def test_alert_that_resolves_while_its_failure_shows_ends_nothing(door: Door) -> None:
    _, request = waiting(door, BROKEN)
    door.deliver(gone(), at=later(1))
    for minute in range(2, 20):
        door.tick(later(minute))
    assert (door.status(), answer(door, request), outcome(door)) == (IncidentStatus.WAITING, None, None)
    assert door.server.forms == [], "its run is not woken"
    said = [one for one in told(door) if "still fails" in one]
    assert said == ["called well again, but it still fails and goes on: Deployment/shop/cart: 0 of 1 pods are ready"]


def test_it_ends_once_it_is_well_and_its_question_is_withdrawn(door: Door) -> None:
    _, request = waiting(door, BROKEN)
    door.deliver(gone(), at=later(1))
    door.cluster = WELL
    door.tick(later(3))
    assert (door.status(), answer(door, request)) == (IncidentStatus.RESOLVED, Answer.EXPIRED)
    assert door.server.forms == [{"run": "run-1", "answer": "reject"}]
    ended = outcome(door)
    assert ended is not None
    assert ended.summary.endswith("it was looked at (Deployment/shop/cart: healthy).")


def test_cluster_that_is_away_ends_nothing_and_delays_only_that(door: Door) -> None:
    waiting(door, WELL)
    door.away = True
    door.deliver(gone(), at=later(1))
    door.tick(later(2))
    assert door.status() is IncidentStatus.WAITING
    assert [one for one in told(door) if "cannot be looked at now, and is later" in one] != []
    door.away = False
    door.tick(later(3))
    assert door.status() is IncidentStatus.RESOLVED


def test_what_cannot_be_read_keeps_its_incident_and_none_of_the_others(door: Door) -> None:
    def read(_context: str, refs: Any) -> ClusterSnapshot:
        if any(ref.namespace == "vault" for ref in refs):
            raise PermanentError("GET /api/v1/namespaces/vault/pods: forbidden")
        return WELL

    apart = [{"groupLabels": {"n": n}, "groupKey": n} for n in "12"]
    door.away = True  # so that the door's own looks end nothing
    for status in ("firing", "resolved"):
        hidden = alert("B", labels={"namespace": "vault"}, status=status)
        door.deliver(notification(of_cart(status=status), **apart[0]), at=later(1 + (status == "resolved")))
        door.deliver(notification(hidden, **apart[1]), at=later(1 + (status == "resolved")))
    Looks(door.ledger, read, stable_seconds=0).tick(later(3))
    statuses = {one.incident.signal.title[0]: one.incident.status for one in door.ledger.incidents.newest()}
    assert statuses == {"A": IncidentStatus.RESOLVED, "B": IncidentStatus.OPEN}


def test_what_looks_well_for_a_moment_only_has_not_ended(door: Door) -> None:
    waiting(door, WELL)
    looks = Looks(door.ledger, lambda *_: door.cluster, stable_seconds=30)
    door.away = True
    door.deliver(gone(), at=later(1))
    looks.tick(later(1))
    door.cluster = BROKEN
    looks.tick(later(1.2))
    door.cluster = WELL
    for seconds in (0, 10, 20):
        looks.tick(later(5) + timedelta(seconds=seconds))
        assert door.status() is IncidentStatus.WAITING
    looks.tick(later(5) + timedelta(seconds=30))
    assert door.status() is IncidentStatus.RESOLVED


def test_alert_that_fires_again_after_a_false_end_is_a_member_of_the_same_heal(door: Door) -> None:
    waiting(door, BROKEN)
    door.deliver(gone(), at=later(1))
    door.deliver(notification(of_cart(startsAt="2026-03-01T12:20:00Z")), at=later(21))
    door.cluster = WELL
    door.tick(later(40))
    assert (door.status(), len(door.server.runs)) == (IncidentStatus.WAITING, 1), "one of it still fires"
    door.deliver(gone(startsAt="2026-03-01T12:20:00Z", endsAt="2026-03-01T12:41:00Z"), at=later(42))
    door.tick(later(60))
    assert door.status() is IncidentStatus.RESOLVED


def test_failure_that_nothing_can_be_looked_at_of_ends_by_the_word_of_its_sender(door: Door) -> None:
    door.deliver(notification(bare()))
    door.deliver(notification(bare(status="resolved")), at=later(1))
    ended = outcome(door)
    assert ended is not None
    assert (ended.status, "the only proof" in ended.summary) == (IncidentStatus.RESOLVED, True)


def test_alert_of_another_cluster_ends_by_the_word_of_its_sender(tmp_path: Path) -> None:
    door = Door(Ledger.in_folder(tmp_path), own_cluster="shop-eu")
    door.cluster = BROKEN
    for status in ("firing", "resolved"):
        elsewhere = alert("A", labels={"deployment": "cart", "cluster": "shop-us"}, status=status)
        door.deliver(notification(elsewhere), at=later(status == "resolved"))
    assert door.status() is IncidentStatus.RESOLVED


def test_kind_that_does_not_show_whether_it_is_well_ends_by_the_word_of_its_sender(door: Door) -> None:
    ingress = {"labels": {"namespace": "shop", "ingress": "front", "alertname": "A"}}
    front = {"kind": "Ingress", "metadata": {"namespace": "shop", "name": "front"}}
    door.cluster = ClusterSnapshot.model_validate({"objects": [{"raw": front}]})
    door.deliver(notification(alert() | ingress))
    door.deliver(notification(alert(status="resolved") | ingress), at=later(1))
    ended = outcome(door)
    assert ended is not None
    assert "the only proof" in ended.summary


def test_incident_that_acts_is_not_ended_by_a_look(door: Door) -> None:
    incident, _ = waiting(door, WELL)
    door.away = True
    door.deliver(gone(), at=later(1))
    seen = look_at(door.ledger, [incident.id], lambda *_: WELL, now=later(1))[incident.id]
    door.ledger.incidents.set_status(incident.id, IncidentStatus.ACTING)
    assert not end_by_itself(door.ledger, incident.id, seen, now=later(1))
    assert (door.status(), outcome(door)) == (IncidentStatus.ACTING, None)


def test_process_that_was_killed_before_its_look_looks_when_it_is_back(door: Door) -> None:
    waiting(door, WELL)
    door.away = True
    door.deliver(gone(), at=later(1))
    Looks(door.ledger, lambda *_: WELL, stable_seconds=0).tick(later(1))
    assert door.status() is IncidentStatus.RESOLVED


def test_what_was_seen_to_fail_cannot_be_ended(door: Door) -> None:
    incident, _ = waiting(door, BROKEN)
    door.deliver(gone(), at=later(1))
    seen = look_at(door.ledger, [incident.id], lambda *_: BROKEN, now=later(1))[incident.id]
    with pytest.raises(PermanentError, match="has not gone away"):
        end_by_itself(door.ledger, incident.id, seen, now=later(1))


def test_incident_whose_end_is_never_told_waits_until_its_deadline_and_no_longer(door: Door) -> None:
    """Alertmanager forgets what it had to resolve when its data is lost."""
    _, request = waiting(door, WELL)
    door.tick(later(59))
    assert (door.status(), answer(door, request)) == (IncidentStatus.WAITING, None)
    door.tick(later(61))
    assert answer(door, request) is Answer.EXPIRED
    assert door.server.forms == [{"run": "run-1", "answer": "reject"}]


def of_github(door: Door, payload: dict[str, Any], *, at: datetime) -> None:
    run = payload["workflow_run"]
    event = StoredEvent(
        delivery_id=f"d-{run['id']}-{run['run_attempt']}-{run['conclusion']}",
        source="github",
        event_name="workflow_run",
        body=json.dumps(payload).encode(),
        received_at=at,
    )
    door.ledger.event_writer.submit(event).result()
    door.tick(at)


def test_green_attempt_of_the_failed_run_ends_it_and_a_green_run_of_another_commit_does_not(door: Door) -> None:
    of_github(door, workflow_run(), at=NOW)
    request = door.ask()
    green = {"conclusion": "success", "updated_at": "2026-03-01T12:04:00Z", "run_attempt": 2}
    of_github(door, workflow_run(**green, id=7, head_sha="a" * 40), at=later(5))
    assert (door.status(), answer(door, request)) == (IncidentStatus.WAITING, None)
    of_github(door, workflow_run(**green), at=later(6))
    assert (door.status(), answer(door, request)) == (IncidentStatus.RESOLVED, Answer.EXPIRED)
    ended = outcome(door)
    assert ended is not None
    assert ended.summary.endswith("attempt 2 of run 1589141559 passed on the same commit.")


def test_green_attempt_that_healflow_itself_asked_for_is_left_to_its_proof(door: Door) -> None:
    of_github(door, workflow_run(), at=NOW)
    (only,) = door.ledger.incidents.newest()
    door.ledger.incidents.set_status(only.incident.id, IncidentStatus.ACTING)
    green = workflow_run(conclusion="success", run_attempt=2, updated_at="2026-03-01T12:04:00Z")
    of_github(door, green, at=later(5))
    assert (door.status(), outcome(door)) == (IncidentStatus.ACTING, None)
