"""Presses in Slack: whatever is refused does nothing, is said to the one who pressed, and stands in the audit trail."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.demo.slack.payloads import signed, signed_body
from deployments.gateway import slack as slack_gateway
from deployments.slack import SlackDoor
from deployments.slack.forms import EDIT_FORM
from deployments.slack.pressing import Press, read_ticket
from tasks.clients.slack import SlackClient
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind
from tasks.domain.card import CardState
from tasks.domain.chat import ChatPerson, ChatPress
from tasks.domain.incident import IncidentStatus
from tests.unit.slack.scene import ADA, GRACE, MALLORY, Scene, in_slack


def held_until(moment: threading.Event, work: Callable[..., None]) -> Callable[..., None]:
    def held(*args: Any) -> None:
        assert moment.wait(60)
        work(*args)

    return held


def asgi_scope(path: str, headers: dict[str, str]) -> dict[str, Any]:
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "headers": told}
    return scope | {"query_string": b"", "scheme": "http", "server": ("gateway", 80), "client": ("slack", 1)}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with in_slack(tmp_path) as scene:
        yield scene


def refused(scene: Scene, said: str) -> None:
    """Nothing was done, it was said why, and it was written down."""
    assert not scene.told.settled
    assert said in scene.whispered
    assert scene.told.trail() == ["answer.refused"]


def test_press_after_the_deadline_does_nothing(scene: Scene) -> None:
    scene.show()
    scene.later(hours=2)
    scene.press()
    refused(scene, "silence was taken as no")


def test_press_with_an_altered_ticket_does_nothing(scene: Scene) -> None:
    scene.show()
    button = scene.card.button(Press.APPROVE)
    assert button is not None
    ticket = read_ticket(button["value"])
    scene.press(value=ticket.model_copy(update={"plan_digest": "x" * 64}).told())
    refused(scene, "plan has changed")


@pytest.mark.parametrize("value", ["", "{}", "nonsense", "[1]", '{"request_id": 1}'])
def test_press_without_a_ticket_does_nothing(scene: Scene, value: str) -> None:
    scene.press(value=value)
    refused(scene, "no approval request")


def test_ticket_of_another_question_does_not_fit(scene: Scene) -> None:
    scene.show()
    button = scene.card.button(Press.APPROVE)
    assert button is not None
    scene.press(value=read_ticket(button["value"]).model_copy(update={"nonce": "of-another"}).told())
    refused(scene, "plan has changed")


def test_press_of_a_run_that_moved_on_does_nothing(scene: Scene) -> None:
    scene.show()
    scene.told.ledger.incidents.set_status(scene.told.incident.id, IncidentStatus.ACTING)
    scene.press()
    refused(scene, "has moved on")


@pytest.mark.parametrize("press", [Press.APPROVE, Press.APPROVE_AND_MERGE, Press.SNOOZE])
def test_press_by_somebody_whom_policy_does_not_name_does_nothing(tmp_path: Path, press: Press) -> None:
    with in_slack(tmp_path, approvers=["ada"]) as scene:
        scene.press(press)
        refused(scene, "policy lets ada answer this")
        assert scene.told.card().snoozed_until is None


def test_press_by_the_author_does_nothing_where_policy_says_so(tmp_path: Path) -> None:
    with in_slack(tmp_path, author_may_approve=False) as scene:
        scene.press(user=ADA)
        refused(scene, "wrote the failing change")


def test_press_by_somebody_of_another_company_does_nothing(scene: Scene) -> None:
    scene.press(user=MALLORY, team="T0OTHER")
    refused(scene, "other workspaces")


def test_press_by_somebody_of_a_workspace_that_installed_the_app_too_does_nothing(scene: Scene) -> None:
    """What Slack signs for the app may come from wherever it is installed: there the two workspaces agree."""
    scene.show()
    button = scene.card.button(Press.APPROVE)
    assert button is not None
    for team in ({"team": {"id": "T0OTHER"}}, {"team": None}):
        user = {"id": MALLORY} | ({"team_id": "T0OTHER"} if team["team"] else {})
        payload = {"type": "block_actions", "user": user, "actions": [button], **team}
        body, headers = signed({"payload": json.dumps(payload)}, at=scene.moment.timestamp())
        assert scene.client.post("/slack/interactions", content=body, headers=headers).status_code == 200
    assert not scene.told.settled
    assert scene.told.trail() == ["answer.refused"] * 2


def test_workspace_that_slack_does_not_tell_counts_as_another(scene: Scene) -> None:
    scene.show()
    scene.workspace.outage = True
    assert scene.press(user=MALLORY).status == 200
    assert not scene.told.settled
    scene.workspace.outage = False
    scene.press(user=MALLORY)
    assert scene.told.settled


def test_same_press_twice_counts_once(scene: Scene) -> None:
    scene.press()
    scene.press()
    assert scene.told.trail() == ["answer.recorded", "answer.refused"]
    assert "already answered: approve by grace" in scene.whispered


def test_replayed_request_does_nothing_more(scene: Scene) -> None:
    sent: list[tuple[str, bytes, dict[str, str]]] = []
    deliver = scene.server.deliver
    assert deliver is not None
    scene.server.deliver = lambda path, body, headers: (
        sent.append((path, body, dict(headers))) or deliver(path, body, headers)  # type: ignore[func-returns-value]
    )
    scene.press()
    assert deliver(*sent[0])[0] == 200
    assert scene.told.trail() == ["answer.recorded", "answer.refused"]
    scene.later(minutes=6)
    assert deliver(*sent[0])[0] == 401
    assert len(scene.told.trail()) == 2


def test_request_that_slack_did_not_sign_does_nothing(scene: Scene) -> None:
    scene.show()
    button = scene.card.button(Press.APPROVE)
    assert button is not None
    payload = {"type": "block_actions", "user": {"id": GRACE}, "actions": [button | {"type": "button"}]}
    fields = {"payload": json.dumps(payload)}
    for body, headers in (
        signed(fields, at=scene.moment.timestamp(), secret="guessed"),
        signed(fields, at=scene.moment.timestamp() - 301),
        signed(fields, at=scene.moment.timestamp() + 301),
        (signed(fields, at=scene.moment.timestamp())[0], {}),
        (b"x" + signed(fields, at=scene.moment.timestamp())[0], signed(fields, at=scene.moment.timestamp())[1]),
    ):
        answer = scene.client.post("/slack/interactions", content=body, headers=headers)
        assert answer.status_code == 401
        assert GRACE not in answer.text
    assert not scene.told.settled
    assert scene.told.trail() == []


def test_gateway_without_a_signing_secret_believes_nothing(tmp_path: Path) -> None:
    with in_slack(tmp_path, slack={"signing_secret": None}) as scene:
        assert scene.press().status == 401
        assert not scene.told.settled


@pytest.mark.parametrize("body", [b"", b"payload=", b"payload=%7B", b"payload=[]", b"payload=%7B%7D", b"\xff=1"])
def test_body_that_makes_no_sense_is_refused_and_does_nothing(scene: Scene, body: bytes) -> None:
    _body, headers = signed_body(body, at=scene.moment.timestamp())
    answer = scene.client.post("/slack/interactions", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert scene.told.trail() == []


@pytest.mark.parametrize("inputs", [{"1.\ud800": {"value": {"value": ""}}}, {"s3cret\ud800": 7}, {"\x00": {}}])
def test_form_whose_fields_are_no_fields_of_ours_is_no_error_of_ours(scene: Scene, inputs: dict[str, object]) -> None:
    view = {"callback_id": EDIT_FORM, "private_metadata": "{}", "state": {"values": inputs}}
    payload = {"type": "view_submission", "user": {"id": GRACE}, "view": view}
    body, headers = signed({"payload": json.dumps(payload)}, at=scene.moment.timestamp())
    answer = scene.client.post("/slack/interactions", content=body, headers=headers)
    assert answer.status_code in (200, 422)
    assert "s3cret" not in answer.text
    assert not scene.told.settled


def test_approval_is_recorded_for_the_verified_person(scene: Scene) -> None:
    answered = scene.press()
    assert (answered.status, answered.body) == (200, {})
    stored = scene.told.ledger.approvals.get(scene.told.request.id)
    assert stored is not None
    approval = stored.answer
    assert approval is not None
    assert (approval.answer, approval.channel, approval.verified) == (Answer.APPROVE, ApprovalChannel.SLACK, True)
    assert approval.identity is not None
    assert (approval.identity.kind, approval.identity.name, approval.identity.person) == (
        IdentityKind.SLACK,
        GRACE,
        "grace",
    )
    assert scene.told.ledger.audit.verify().problem == ""


def test_card_is_renewed_in_place_and_says_who_decided(scene: Scene) -> None:
    scene.press(Press.APPROVE_AND_MERGE)
    assert len(scene.workspace.cards) == 1
    assert not scene.card.has_buttons
    shown = json.dumps(scene.card.blocks)
    assert "Decided by " in shown
    assert '"grace"' in shown
    assert scene.workspace.whispers == []


def test_first_of_two_people_is_told_and_the_card_still_asks(tmp_path: Path) -> None:
    with in_slack(tmp_path, people_needed=2) as scene:
        scene.press(user=GRACE)
        assert "one more person has to say yes" in scene.whispered
        assert scene.card.has_buttons
        assert "said yes so far: grace" in json.dumps(scene.card.blocks)
        scene.press(user=GRACE)
        assert "said yes before" in scene.whispered
        assert not scene.told.settled
        scene.press(user=ADA)
        assert scene.told.settled
        assert "together with grace" in json.dumps(scene.card.blocks)


def test_snooze_keeps_the_question_and_its_deadline(scene: Scene) -> None:
    scene.press(Press.SNOOZE)
    assert not scene.told.settled
    assert scene.told.card(minutes=59).state is CardState.SNOOZED
    assert scene.card.has_buttons
    assert "Quiet until" in json.dumps(scene.card.blocks)


def test_answer_stands_when_slack_fails_right_after_it(scene: Scene) -> None:
    scene.show()
    scene.workspace.outage = True
    assert scene.press().status == 200
    assert scene.told.settled
    scene.workspace.outage = False
    scene.channel.update(scene.show(), scene.told.card())
    assert not scene.workspace.cards[-1].has_buttons


def test_slack_is_answered_before_anything_is_asked_of_it(scene: Scene) -> None:
    scene.show()
    button = scene.card.button(Press.APPROVE)
    assert button is not None
    before = len(scene.workspace.calls)
    door = SlackDoor(scene.settings, scene.told.ledger, SlackClient(scene.settings.slack), clock=lambda: scene.moment)
    reply = door.take(
        ChatPress(action=str(Press.APPROVE), value=button["value"], person=ChatPerson(id=GRACE), channel="C0DEPLOYS")
    )
    assert (len(scene.workspace.calls), scene.told.settled) == (before, False)
    reply.after()
    assert scene.told.settled


@pytest.mark.parametrize(("within", "recorded"), [(60.0, True), (0.0, False)])
def test_press_is_recorded_before_it_is_answered_unless_that_takes_too_long(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, within: float, recorded: bool
) -> None:
    monkeypatch.setattr(slack_gateway, "ANSWERED_WITHIN_SECONDS", within)
    scene.show()
    answered, body, headers = threading.Event(), b"", {}
    if not recorded:
        monkeypatch.setattr(SlackDoor, "_press", held_until(answered, SlackDoor._press))

    def keep(_path: str, told: bytes, signature: Any) -> tuple[int, bytes]:
        nonlocal body, headers
        body, headers = told, dict(signature)
        return 200, b""

    scene.server.deliver = keep
    scene.press()
    settled: list[bool] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
            settled.append(scene.told.settled)
            answered.set()

    asyncio.run(scene.client.app(asgi_scope("/slack/interactions", headers), receive, send))
    assert settled == [recorded]
    assert scene.told.settled, "it is done either way"
