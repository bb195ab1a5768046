"""A question shown as a card in a Slack that behaves, and the gateway behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from deployments.demo.slack import SlackServer, Workspace
from deployments.demo.slack.server import Answered
from deployments.demo.slack.workspace import Form, Message
from deployments.gateway.answers import answer_errors
from deployments.gateway.gateway import Gateway
from deployments.gateway.slack import slack_door
from deployments.notifying import Reference
from deployments.slack import SlackChannel
from deployments.slack.pressing import Press
from tests.unit.approve.asking import NOW
from tests.unit.approve.telling import Told

GRACE, ADA, MALLORY = "U0GRACE", "U0ADA", "U0MALLORY"


class Scene:
    """The story, the workspace, and what the people in it do. Time stands still unless a test moves it."""

    def __init__(self, told: Told, server: SlackServer, **slack: Any) -> None:
        self.told, self.server, self.workspace = told, server, server.workspace
        self.moment: datetime = NOW
        self.workspace.clock = self._seconds
        self.settings = told.settings.model_copy(update={"slack": server.settings(**slack)})
        gateway = Gateway(settings=self.settings, ledger=told.ledger, webhook_secrets=("s",), event_tokens=())
        app = FastAPI()
        answer_errors(app)
        app.include_router(slack_door(gateway, clock=lambda: self.moment))
        self.client = TestClient(app, raise_server_exceptions=False)
        server.deliver = self._deliver
        self.channel = SlackChannel(self.settings.slack)

    def _seconds(self) -> float:
        return self.moment.timestamp()

    def _deliver(self, path: str, body: bytes, headers: Any) -> tuple[int, bytes]:
        answer = self.client.post(path, content=body, headers=dict(headers))
        return answer.status_code, answer.content

    def show(self) -> Reference:
        """Send the card."""
        return self.channel.send(self.told.card())

    @property
    def card(self) -> Message:
        """The first card of the channel."""
        return self.workspace.cards[0]

    def press(self, press: Press = Press.APPROVE, user: str = GRACE, **changes: Any) -> Answered:
        """Press a button of the card, which is shown first where it is not."""
        if not self.workspace.cards:
            self.show()
        return self.server.press(user, self.card.ts, str(press), **changes)

    def open_form(self, press: Press, user: str = GRACE) -> Form:
        """Press a button that opens a form."""
        self.press(press, user)
        return next(iter(self.workspace.forms.values()))

    @property
    def whispered(self) -> str:
        """What one person alone was told last."""
        return self.workspace.whispers[-1].text if self.workspace.whispers else ""

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**span)


@contextmanager
def in_slack(folder: Path, *, slack: Any = None, **terms: Any) -> Iterator[Scene]:
    """A scene with a server of its own."""
    with SlackServer(Workspace()) as server:
        yield Scene(Told(folder, **terms), server, **(slack or {}))
