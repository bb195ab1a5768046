"""Socket Mode: the same presses, the same refusals and the same records as over HTTP, and a socket that comes back."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deployments.demo.slack.workspace import APP_TOKEN
from deployments.slack import SlackDoor
from deployments.slack.listening import listen, socket_of
from deployments.slack.pressing import Press
from tasks.clients.slack import SlackClient
from tasks.clients.slack_socket import SlackSocket
from tasks.errors import ForbiddenError, PermanentError, TransientError
from tasks.settings import SlackSettings
from tests.unit.slack.scene import GRACE, MALLORY, Scene, in_slack


@contextmanager
def over_socket(folder: Path, **terms: Any) -> Iterator[tuple[Scene, SlackSocket]]:
    """A scene whose app is reached over its socket alone."""
    with in_slack(folder, slack={"app_token": APP_TOKEN, "signing_secret": None}, **terms) as scene:
        scene.server.deliver = None
        door = SlackDoor(
            scene.settings, scene.told.ledger, SlackClient(scene.settings.slack), clock=lambda: scene.moment
        )
        socket = socket_of(scene.settings.slack, door)
        socket.open()
        try:
            assert scene.server.wait_for_socket()
            yield scene, socket
        finally:
            socket.close()


def audited(scene: Scene) -> list[dict[str, Any]]:
    entries = scene.told.ledger.audit.entries()
    return [json.loads(entry.document) for entry in entries if entry.kind.startswith("answer.")]


@pytest.mark.parametrize(("user", "press"), [(GRACE, Press.APPROVE), (MALLORY, Press.APPROVE), (GRACE, Press.SNOOZE)])
def test_records_are_the_same_as_over_http(tmp_path: Path, user: str, press: Press) -> None:
    with in_slack(tmp_path / "http", approvers=["grace"]) as scene:
        scene.press(press, user)
        over_http = audited(scene)
        shown = scene.card.blocks
    with over_socket(tmp_path / "socket", approvers=["grace"]) as (scene, _socket):
        scene.press(press, user)
        assert scene.workspace.wait_until(lambda: bool(scene.workspace.whispers or scene.card.versions))
        assert audited(scene) == over_http
        assert scene.card.blocks == shown
        assert scene.told.settled == (user == GRACE and press is Press.APPROVE)


def test_somebody_who_may_not_is_refused_over_the_socket_too(tmp_path: Path) -> None:
    with over_socket(tmp_path, approvers=["ada"]) as (scene, _socket):
        scene.press()
        assert scene.workspace.wait_until(lambda: bool(scene.workspace.whispers))
        assert "policy lets ada answer this" in scene.whispered
        assert not scene.told.settled
        assert scene.told.trail() == ["answer.refused"]


def test_faults_of_a_form_come_back_within_the_answer(tmp_path: Path) -> None:
    with over_socket(tmp_path) as (scene, _socket):
        scene.press(Press.REJECT)
        assert scene.workspace.wait_until(lambda: bool(scene.workspace.forms))
        form = next(iter(scene.workspace.forms.values()))
        scene.server.submit(form, {"reason": ""})
        assert list(form.errors) == ["reason"]
        assert not scene.told.settled


def test_command_is_answered_over_the_socket(tmp_path: Path) -> None:
    with over_socket(tmp_path) as (scene, _socket):
        assert scene.server.command(GRACE, "incidents").status == 200
        assert scene.workspace.wait_until(lambda: bool(scene.workspace.whispers))
        assert scene.told.incident.id in scene.whispered


def test_lost_socket_is_opened_again(tmp_path: Path) -> None:
    with over_socket(tmp_path) as (scene, _socket):
        scene.show()
        scene.server.drop_sockets()
        assert scene.server.wait_for_socket(seconds=15)
        scene.press()
        assert scene.workspace.wait_until(lambda: bool(scene.card.versions))
        assert scene.told.settled


def test_socket_without_a_token_or_with_a_wrong_one_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="HEALFLOW_SLACK__APP_TOKEN"):
        SlackSocket(SlackSettings(), lambda _kind, _payload: ({}, lambda: None))
    with in_slack(tmp_path, slack={"app_token": "xapp-other"}) as scene:
        socket = SlackSocket(scene.settings.slack, lambda _kind, _payload: ({}, lambda: None))
        with pytest.raises(ForbiddenError, match="HEALFLOW_SLACK__APP_TOKEN"):
            socket.open()
        scene.workspace.outage = True
        with pytest.raises(TransientError, match="opens no socket"):
            socket.open()
        socket.close()


def test_gateway_starts_and_stops_while_slack_is_away(tmp_path: Path) -> None:
    async def run(scene: Scene) -> None:
        stop = asyncio.Event()
        door = SlackDoor(scene.settings, scene.told.ledger, SlackClient(scene.settings.slack))
        listening = asyncio.create_task(listen(scene.settings.slack, door, stop))
        while "apps.connections.open" not in scene.workspace.calls:
            await asyncio.to_thread(scene.workspace.wait_until, lambda: False, seconds=0.05)
        stop.set()
        await asyncio.wait_for(listening, 10)

    with in_slack(tmp_path, slack={"app_token": APP_TOKEN}) as scene:
        scene.workspace.outage = True
        asyncio.run(run(scene))
