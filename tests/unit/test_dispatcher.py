"""The dispatcher over a real ledger: nothing is lost, nothing is started twice, silence is no."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.dispatcher import Bounds, Dispatcher, RunState
from tasks.approve import answer_newest, answer_question, attempt_at, identify
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.approval import Answer, ApprovalChannel, ApprovalRequest, IdentityKind
from tasks.domain.incident import IncidentStatus
from tasks.intake import parse_alertmanager, parse_event
from tasks.settings import IntakeSettings
from tests.fakes.flow_runs import Server
from tests.unit.intake import alerts, payloads

NOW = payloads.NOW


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.in_folder(tmp_path)


def deliver(ledger: Ledger, body: bytes | None = None, delivery_id: str = "d-1") -> None:
    event = StoredEvent(
        delivery_id=delivery_id,
        source="github",
        event_name="workflow_run",
        body=body or json.dumps(payloads.local_run()).encode(),
        received_at=NOW,
    )
    ledger.event_writer.submit(event).result()


def ask(ledger: Ledger, *, deadline: datetime) -> ApprovalRequest:
    incident = ledger.incidents.newest()[0].incident
    request = ApprovalRequest(
        id="q-1", incident_id=incident.id, plan_digest="p", question="?", asked_at=NOW, deadline=deadline
    )
    return ledger.approvals.ask(request)


def test_clock_that_is_set_back_holds_up_nothing(ledger: Ledger) -> None:
    server = Server()
    dispatcher = Dispatcher(ledger, server, intake=IntakeSettings(events_per_second=1, group_window_seconds=0))
    deliver(ledger)
    dispatcher.tick(NOW + timedelta(hours=1))
    deliver(ledger, json.dumps(payloads.local_run(id="run-2")).encode(), delivery_id="d-2")
    for second in range(5):
        dispatcher.tick(NOW + timedelta(seconds=second))
    assert len(server.runs) == 2
    server.states["run-1"] = RunState.LOST
    for second in range(5, 15):
        dispatcher.tick(NOW + timedelta(seconds=second))
    assert len(server.runs) == 3, "the lost run was not looked for"


def test_prefect_away_loses_nothing(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    server.away = True
    dispatcher = Dispatcher(ledger, server)
    deliver(ledger)
    for second in range(5):
        dispatcher.tick(NOW + timedelta(seconds=second))
    assert len(ledger.incidents.unstarted(limit=9)) == 1
    assert sum("Waiting" in record.message for record in caplog.records) == 1
    server.away = False
    dispatcher.tick(NOW + timedelta(seconds=9))
    assert ledger.events.pending() == ledger.incidents.unstarted(limit=9) == ()
    assert len(server.runs) == 1


def test_event_that_cannot_be_read_is_refused_and_starts_nothing(ledger: Ledger) -> None:
    server = Server()
    deliver(ledger, b'{"action": "completed"}')
    Dispatcher(ledger, server).tick(NOW)
    assert (ledger.events.pending(), server.runs) == ((), {})


def test_two_deliveries_of_one_failure_are_one_run(ledger: Ledger) -> None:
    server = Server()
    deliver(ledger)
    deliver(ledger, delivery_id="d-2")
    Dispatcher(ledger, server).tick(NOW)
    assert len(server.runs) == 1
    assert len(ledger.incidents.newest()) == 1


def test_answer_is_delivered_only_once_the_run_waits(ledger: Ledger) -> None:
    server = Server()
    dispatcher = Dispatcher(ledger, server)
    deliver(ledger)
    dispatcher.tick(NOW)
    request = ask(ledger, deadline=NOW + timedelta(hours=1))
    answer_newest(
        ledger,
        request.incident_id,
        answer=Answer.APPROVE,
        identity=identify(IdentityKind.LOCAL, "ada", ()),
        channel=ApprovalChannel.COMMAND_LINE,
        people=(),
        now=NOW,
    )
    dispatcher.tick(NOW + timedelta(seconds=1))
    assert server.forms == []
    server.states["run-1"] = RunState.WAITING
    dispatcher.tick(NOW + timedelta(seconds=2))
    dispatcher.tick(NOW + timedelta(seconds=3))
    assert server.forms == [{"run": "run-1", "answer": "reject"}], "a wake is no yes; the run reads the ledger"


def test_answer_to_an_older_question_wakes_nobody_who_waits_for_a_newer_one(ledger: Ledger) -> None:
    """It would come along as the typed yes of whoever answered, to a plan that they never saw."""
    server = Server()
    dispatcher, _incident_id = healing(ledger, server)
    older = ask(ledger, deadline=NOW + timedelta(hours=2))
    # asked in another run, or before this was refused
    asked_later = {"id": "q-2", "plan_digest": "q", "nonce": "another", "asked_at": NOW + timedelta(seconds=1)}
    attempt = attempt_at(
        older,
        answer=Answer.APPROVE,
        identity=identify(IdentityKind.LOCAL, "ada", ()),
        channel=ApprovalChannel.SLACK,
        reason="",
        now=NOW,
    )
    assert answer_question(ledger, attempt, people=()).settles
    ledger.approvals.ask(older.model_copy(update=asked_later | {"deadline": NOW + timedelta(hours=1)}))
    dispatcher.tick(NOW + timedelta(seconds=6))
    assert server.forms == []
    assert server.states[RUN] is RunState.WAITING
    assert ledger.approvals.to_resume() == ()
    newer = ledger.approvals.get("q-2")
    assert newer is not None
    assert newer.answer is None


def test_silence_past_the_deadline_is_no(ledger: Ledger) -> None:
    server = Server()
    dispatcher = Dispatcher(ledger, server)
    deliver(ledger)
    dispatcher.tick(NOW)
    ask(ledger, deadline=NOW + timedelta(seconds=10))
    server.states["run-1"] = RunState.WAITING
    dispatcher.tick(NOW + timedelta(seconds=9))
    assert server.forms == []
    dispatcher.tick(NOW + timedelta(seconds=11))
    assert server.forms == [{"run": "run-1", "answer": "reject"}]
    stored = ledger.approvals.get("q-1")
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answer is Answer.EXPIRED


@pytest.mark.parametrize("most", [1, 3])
def test_lost_run_is_started_again_a_bounded_number_of_times(ledger: Ledger, most: int) -> None:
    server = Server()
    dispatcher = Dispatcher(ledger, server, bounds=Bounds(max_runs=most))
    deliver(ledger)
    dispatcher.tick(NOW)
    for round_ in range(1, 6):
        for run in server.states:
            server.states[run] = RunState.LOST
        dispatcher.tick(NOW + timedelta(minutes=round_))
    assert len(server.runs) == most
    assert ledger.incidents.newest()[0].incident.status is IncidentStatus.ESCALATED


RUN = "0196a7a2-0000-7000-8000-000000000002"


def tell(ledger: Ledger, state: str, *, run: str = RUN, delivery: int = 1, flow: str = "heal") -> None:
    """What an automation of Prefect tells of a run, of heal unless another flow is named."""
    told = {
        "event_id": f"0196a7a2-0000-7000-8000-{delivery:012d}",
        "occurred": NOW.isoformat(),
        "flow": flow,
        "flow_run": f"{flow}-one",
        "flow_run_id": run,
        "state": state,
    }
    event = StoredEvent(
        delivery_id=told["event_id"],
        source="prefect",
        event_name="flow_run",
        body=json.dumps(told).encode(),
        received_at=NOW,
    )
    ledger.event_writer.submit(event).result()


def healing(ledger: Ledger, server: Server) -> tuple[Dispatcher, str]:
    """A dispatcher that has looked at everything just now, and an incident that RUN heals."""
    dispatcher = Dispatcher(ledger, server)
    deliver(ledger)
    dispatcher.tick(NOW)
    incident = ledger.incidents.newest()[0].incident
    ledger.incidents.set_flow_run(incident.id, RUN)
    server.states[RUN] = RunState.WAITING
    dispatcher.tick(NOW + timedelta(seconds=5))
    return dispatcher, incident.id


@pytest.mark.parametrize("state", ["Failed", "Crashed", "TimedOut", "Suspended"])
def test_notice_of_a_heal_opens_no_incident_and_of_an_unknown_run_does_nothing(ledger: Ledger, state: str) -> None:
    server = Server()
    dispatcher, _ = healing(ledger, server)
    tell(ledger, state, run=RUN.replace("2", "3"))
    dispatcher.tick(NOW + timedelta(seconds=6))
    assert ledger.events.pending() == ()
    assert (len(ledger.incidents.newest()), len(server.runs)) == (1, 1)


def test_notice_of_a_failed_heal_before_the_deadline_is_no_answer(ledger: Ledger) -> None:
    server = Server()
    dispatcher, _ = healing(ledger, server)
    ask(ledger, deadline=NOW + timedelta(hours=1))
    tell(ledger, "Failed")
    dispatcher.tick(NOW + timedelta(seconds=6))
    stored = ledger.approvals.get("q-1")
    assert stored is not None
    assert stored.answer is None
    assert len(server.runs) == 1, "the run itself still waits: the notice alone is not believed"


def test_suspension_that_expired_is_recorded_as_no_and_the_end_is_written_by_another_run(ledger: Ledger) -> None:
    server = Server()
    dispatcher, _ = healing(ledger, server)
    ask(ledger, deadline=NOW + timedelta(seconds=5, milliseconds=500))
    server.states[RUN] = RunState.LOST  # what the server made of it
    tell(ledger, "Failed")
    dispatcher.tick(NOW + timedelta(seconds=6))
    stored = ledger.approvals.get("q-1")
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.answer is Answer.EXPIRED
    assert len(server.runs) == 2
    tell(ledger, "Failed", delivery=2)
    dispatcher.tick(NOW + timedelta(seconds=7))
    assert len(server.runs) == 2, "told again, of a run that is no longer the incident's"


def test_failed_deploy_that_told_itself_opens_no_second_incident(ledger: Ledger) -> None:
    server = Server()
    dispatcher, told = healing(ledger, server)
    ledger.events.mark_run(RUN, told, at=NOW)
    tell(ledger, "Failed", flow="deploy")
    dispatcher.tick(NOW + timedelta(seconds=6))
    assert ledger.events.pending() == ()
    assert (len(ledger.incidents.newest()), len(server.runs)) == (1, 1)


def test_deploy_that_told_nothing_or_fails_once_more_is_an_incident_of_its_own(ledger: Ledger) -> None:
    server = Server()
    dispatcher, told = healing(ledger, server)
    ledger.events.mark_run(RUN, told, at=NOW)
    tell(ledger, "Failed", flow="deploy")
    dispatcher.tick(NOW + timedelta(seconds=6))
    tell(ledger, "Crashed", flow="deploy", delivery=2)
    dispatcher.tick(NOW + timedelta(seconds=7))
    tell(ledger, "Crashed", flow="deploy", delivery=3, run=RUN.replace("2", "4"))
    dispatcher.tick(NOW + timedelta(seconds=8))
    assert len(ledger.incidents.newest()) == 3


def test_suspended_heal_has_the_card_of_its_open_question_sent_and_of_no_other(ledger: Ledger) -> None:
    server = Server()
    dispatcher, incident_id = healing(ledger, server)
    answered = ask(ledger, deadline=NOW + timedelta(hours=1))
    answer_newest(
        ledger,
        incident_id,
        answer=Answer.EDIT,
        identity=identify(IdentityKind.LOCAL, "ada", ()),
        channel=ApprovalChannel.COMMAND_LINE,
        people=(),
        now=NOW,
    )
    again = answered.model_copy(update={"id": "q-2", "deadline": NOW + timedelta(hours=2)})
    ledger.approvals.ask(again)
    dispatcher.tick(NOW + timedelta(seconds=6))
    assert ledger.cards.get("q-2") is None
    tell(ledger, "Suspended")
    dispatcher.tick(NOW + timedelta(seconds=7))
    assert ledger.cards.get("q-2") is not None
    assert ledger.cards.get("q-1") is None


def test_flood_is_handed_on_at_the_rate_that_is_set_and_the_delay_is_told(ledger: Ledger) -> None:
    delays: list[float] = []
    server, intake = Server(), IntakeSettings(events_per_second=10, heals_per_minute=60, group_window_seconds=0)
    dispatcher = Dispatcher(ledger, server, intake=intake, tell_delay=delays.append)
    for number in range(30):
        run = payloads.local_run(id=f"20260301-115900-{number:04}")
        deliver(ledger, json.dumps(run).encode(), delivery_id=f"d-{number}")
    for tenth in range(10):
        dispatcher.tick(NOW + timedelta(seconds=tenth / 10))
    assert 10 <= len(delays) < 20
    assert len(server.runs) == 1
    for second in range(1, 40):
        dispatcher.tick(NOW + timedelta(seconds=second))
    assert len(delays) == len(server.runs) == 30
    assert max(delays) >= 2


def test_event_that_the_ledger_refuses_keeps_none_of_the_others(ledger: Ledger) -> None:
    server = Server()
    bad = StoredEvent(delivery_id="d-0", source="nobody", event_name="x", body=b"{}", received_at=NOW)
    ledger.event_writer.submit(bad).result()
    deliver(ledger)
    Dispatcher(ledger, server).tick(NOW)
    assert (ledger.events.get("d-0").status, len(server.runs)) == (EventStatus.REFUSED, 1)


def test_job_whose_events_always_have_the_same_id_is_heard_each_night(ledger: Ledger) -> None:
    dispatcher = Dispatcher(ledger, Server())
    for night in range(3):
        at = NOW + timedelta(days=night)
        told = {"id": "nightly", "occurred_at": at.isoformat(), "title": "nightly build", "repository": "acme/shop"}
        body = json.dumps(told).encode()
        for _again in range(2):  # the sender got no answer and tries again
            name = parse_event(body, now=at).delivery_id
            event = StoredEvent(delivery_id=name, source="events", event_name="event", body=body, received_at=at)
            ledger.event_writer.submit(event).result()
        dispatcher.tick(at)
    assert len(ledger.incidents.newest()) == 3


def notify(ledger: Ledger, body: bytes, *, at: datetime) -> None:
    name = parse_alertmanager(body, now=at).delivery_id
    event = StoredEvent(delivery_id=name, source="alertmanager", event_name="alerts", body=body, received_at=at)
    assert ledger.event_writer.submit(event).result()


@pytest.mark.parametrize("killed", [False, True], ids=["by one process", "by one after the other"])
def test_many_alerts_of_one_event_are_placed_over_several_ticks_and_what_came_later_after_them(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    monkeypatch.setattr("deployments.dispatcher.PLACED_AT_ONCE", 3)
    told = [alerts.alert(f"A{number}", labels={"pod": f"pod-{number}"}) for number in range(8)]
    ended = told[7] | {"status": "resolved", "endsAt": "2026-03-01T11:59:00Z"}
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    notify(ledger, alerts.notification(*told), at=now)
    notify(ledger, alerts.notification(ended, status="resolved"), at=now + timedelta(seconds=1))
    server, waiting = Server(), []
    dispatcher = Dispatcher(ledger, server)
    for tick in range(4):
        dispatcher.tick(now + timedelta(seconds=2 + tick))
        waiting.append(len(ledger.events.pending()))
        if killed and tick == 0:
            dispatcher = Dispatcher(ledger, server)
    assert waiting == ([2, 2, 2, 0] if killed else [2, 2, 0, 0])
    (incident,) = ledger.incidents.newest()
    members = ledger.members.of_incident(incident.incident.id, limit=99)
    assert sorted(member.signal.fingerprint for member in members) == [f"f-A{number}" for number in range(8)]
    assert [member.signal.fingerprint for member in members if member.end] == ["f-A7"]
