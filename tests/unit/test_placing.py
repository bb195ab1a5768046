"""From accepted alerts to incidents, over a real ledger: one for each cause, ended when its failures went away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.dispatcher import Dispatcher, RunState
from deployments.looking import Looks
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.approval import Answer, ApprovalRequest
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.incident import IncidentStatus
from tasks.errors import TransientError
from tasks.intake import parse_alertmanager
from tasks.remember import read_story
from tasks.settings import IntakeSettings
from tests.fakes.flow_runs import Server
from tests.unit.intake.alerts import alert, bare, notification

pytestmark = pytest.mark.each_database

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.in_folder(tmp_path)


class Door:
    """Accepts notifications and lets the dispatcher work on them."""

    def __init__(self, ledger: Ledger, settings: IntakeSettings | None = None, *, own_cluster: str = "") -> None:
        self.ledger, self.server = ledger, Server()
        self.cluster, self.away = ClusterSnapshot(), False
        self._dispatcher = Dispatcher(ledger, self.server, intake=settings, own_cluster=own_cluster)
        self._looks = Looks(ledger, self._read, stable_seconds=0)

    def _read(self, _context: str, _refs: object) -> ClusterSnapshot:
        if self.away:
            raise TransientError("the API server does not answer")
        return self.cluster

    def deliver(self, body: bytes, *, at: datetime = NOW) -> str:
        delivery_id = self.accept(body, at=at)
        self.tick(at)
        return delivery_id

    def accept(self, body: bytes, *, at: datetime = NOW) -> str:
        told = parse_alertmanager(body, now=at)
        event = StoredEvent(
            delivery_id=told.delivery_id, source="alertmanager", event_name="alerts", body=body, received_at=at
        )
        self.ledger.event_writer.submit(event).result()
        return told.delivery_id

    def tick(self, at: datetime) -> None:
        self._dispatcher.tick(at)
        self._looks.tick(at)
        self._dispatcher.tick(at)  # what the look ended is told to its run

    def status(self) -> IncidentStatus:
        (only,) = self.ledger.incidents.newest()
        return only.incident.status

    def ask(self) -> ApprovalRequest:
        (only,) = self.ledger.incidents.newest()
        request = ApprovalRequest(
            id="q-1",
            incident_id=only.incident.id,
            plan_digest="p",
            question="?",
            asked_at=NOW,
            deadline=NOW + timedelta(hours=1),
        )
        self.ledger.incidents.set_status(only.incident.id, IncidentStatus.WAITING)
        return self.ledger.approvals.ask(request)


@pytest.fixture
def door(ledger: Ledger) -> Door:
    return Door(ledger)


def gone(*names: str) -> bytes:
    return notification(*(alert(name, status="resolved") for name in names))


def test_group_of_alerts_is_one_incident_with_its_members_and_one_run(door: Door) -> None:
    door.deliver(notification(*(alert(f"A{n}", labels={"pod": f"cart{n}"}) for n in range(20))))
    (only,) = door.ledger.incidents.newest()
    members = door.ledger.members.of_incident(only.incident.id)
    assert {member.signal.fingerprint for member in members} == {f"f-A{n}" for n in range(20)}
    assert {member.joined_by for member in members[1:]} == {'group {}:{alertname="PodCrashLooping"}'}
    assert (members[0].signal, members[0].joined_by) == (only.incident.signal, "")
    assert len(door.server.runs) == 1


def test_alerts_that_share_nothing_are_incidents_of_their_own(door: Door) -> None:
    apart = {"groupLabels": {}, "groupKey": "{}:{}"}
    door.deliver(notification(bare("A"), bare("B"), **apart))
    assert len(door.ledger.incidents.newest()) == len(door.server.runs) == 2


def test_alerts_of_one_node_are_one_incident(door: Door) -> None:
    for number in range(3):
        labels = {"node": "worker-1", "pod": f"p{number}"}
        apart = {"groupLabels": {"n": str(number)}, "groupKey": str(number)}
        door.deliver(notification(alert(f"A{number}", labels=labels), **apart), at=NOW + timedelta(seconds=number))
    (only,) = door.ledger.incidents.newest()
    assert [one.joined_by for one in door.ledger.members.of_incident(only.incident.id)] == [
        "",
        "node worker-1",
        "node worker-1",
    ]


@pytest.mark.parametrize("first", ["shop-us", "shop-eu"])
def test_alerts_of_two_clusters_are_two_incidents_although_their_group_is_one(ledger: Ledger, first: str) -> None:
    door, second = Door(ledger, own_cluster="shop-eu"), {"shop-us": "shop-eu", "shop-eu": "shop-us"}[first]
    door.deliver(notification(*(alert(f"A{name}", labels={"cluster": name}) for name in (first, second))))
    places = {one.incident.signal.elsewhere: one.incident.signal.cluster for one in ledger.incidents.newest()}
    assert places["shop-us"] is None, "nothing of it can be taken for ours"
    assert places[""] is not None


def test_alert_that_names_no_cluster_is_of_ours(ledger: Ledger) -> None:
    Door(ledger, own_cluster="shop-eu").deliver(notification(alert()))
    (only,) = ledger.incidents.newest()
    assert only.incident.signal.cluster is not None


def test_label_of_a_cluster_says_nothing_where_ours_has_no_name(door: Door) -> None:
    door.deliver(notification(alert("A", labels={"cluster": "a"}), alert("B", labels={"cluster": "b"})))
    (only,) = door.ledger.incidents.newest()
    assert only.incident.signal.cluster is not None
    assert only.incident.signal.elsewhere == ""


def test_nothing_is_grouped_where_the_window_is_nought(ledger: Ledger) -> None:
    door = Door(ledger, IntakeSettings(group_window_seconds=0))
    door.deliver(notification(alert("A")))
    door.deliver(notification(alert("B")), at=NOW + timedelta(seconds=1))
    assert len(ledger.incidents.newest()) == 2


def test_alert_that_is_told_again_in_another_notification_is_one_member(door: Door) -> None:
    door.deliver(notification(alert("A")))
    door.deliver(notification(alert("A"), alert("B")), at=NOW + timedelta(seconds=30))
    (only,) = door.ledger.incidents.newest()
    assert len(door.ledger.members.of_incident(only.incident.id)) == 2
    assert len(door.server.runs) == 1


def test_resolved_alert_ends_what_it_opened_and_nothing_is_started(door: Door) -> None:
    door.server.away = True
    door.deliver(notification(alert("A")))
    door.server.away = False
    door.deliver(gone("A"), at=NOW + timedelta(minutes=1))
    assert door.status() is IncidentStatus.RESOLVED
    (only,) = door.ledger.incidents.newest()
    outcome = door.ledger.memory.outcome_of(only.incident.id)
    assert outcome is not None
    assert outcome.action_names == ()


def test_incident_ends_only_when_all_its_members_are_well(door: Door) -> None:
    door.deliver(notification(alert("A"), alert("B")))
    door.deliver(gone("A"), at=NOW + timedelta(minutes=1))
    assert door.status() is IncidentStatus.OPEN
    door.deliver(gone("A", "B"), at=NOW + timedelta(minutes=2))
    assert door.status() is IncidentStatus.RESOLVED


def test_incident_that_acts_is_left_alone_and_it_is_recorded(door: Door) -> None:
    door.deliver(notification(alert("A")))
    (only,) = door.ledger.incidents.newest()
    door.ledger.incidents.set_status(only.incident.id, IncidentStatus.ACTING)
    door.deliver(gone("A"), at=NOW + timedelta(minutes=1))
    assert door.status() is IncidentStatus.ACTING
    said = [entry.what for entry in read_story(door.ledger, only.incident.id).timeline]
    assert any("well again" in one and "acting" in one for one in said)


def test_open_question_is_withdrawn_and_its_run_is_woken_only_to_end(door: Door) -> None:
    door.deliver(notification(alert("A")))
    request = door.ask()
    door.server.states["run-1"] = RunState.WAITING
    door.deliver(gone("A"), at=NOW + timedelta(minutes=1))
    stored = door.ledger.approvals.get(request.id)
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answer is Answer.EXPIRED
    assert door.server.forms == [{"run": "run-1", "answer": "reject"}]


def test_end_of_an_alert_that_is_not_known_changes_nothing(door: Door) -> None:
    door.deliver(notification(alert("A")))
    door.deliver(gone("B"), at=NOW + timedelta(minutes=1))
    assert door.status() is IncidentStatus.OPEN


def test_end_of_an_earlier_time_does_not_end_a_later_one(door: Door) -> None:
    door.deliver(notification(alert("A", startsAt="2026-03-01T11:59:00Z")))
    door.deliver(gone("A"), at=NOW + timedelta(minutes=1))
    assert door.status() is IncidentStatus.OPEN


def test_alert_that_fires_anew_after_its_end_is_a_new_incident(door: Door) -> None:
    door.deliver(notification(alert("A")))
    door.deliver(gone("A"), at=NOW + timedelta(minutes=1))
    again = notification(alert("A", startsAt="2026-03-01T12:01:30Z"))
    door.deliver(again, at=NOW + timedelta(minutes=2))
    statuses = sorted(stored.incident.status for stored in door.ledger.incidents.newest())
    assert statuses == [IncidentStatus.OPEN, IncidentStatus.RESOLVED]


def test_delivery_that_was_half_done_when_killed_is_done_once(door: Door) -> None:
    body = notification(alert("A"), alert("B"), alert("C"))
    delivery_id = door.deliver(body)
    door.ledger.events.settle(delivery_id, EventStatus.PENDING)  # as if it was killed before its last step
    door.tick(NOW + timedelta(seconds=1))
    (only,) = door.ledger.incidents.newest()
    assert len(door.ledger.members.of_incident(only.incident.id)) == 3
    assert len(door.server.runs) == 1
