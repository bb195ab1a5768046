"""Serves the workspace on loopback, and lets people in it press buttons, send forms and give commands.

What they do reaches the app over its socket while it holds one open, else as a signed request to its address.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.demo.slack.limits import Refused
from deployments.demo.slack.payloads import command_fields, form_payload, press_payload, signed
from deployments.demo.slack.workspace import APP_TOKEN, BOT_TOKEN, CHANNEL, SIGNING_SECRET, TEAM, Form, Workspace
from tasks.errors import PermanentError
from tasks.settings import SlackSettings

ANSWER_SECONDS = 3.0
"""How long Slack waits for the app before it tells the person that it did not work."""
Deliver = Callable[[str, bytes, Mapping[str, str]], tuple[int, bytes]]


@dataclass(frozen=True)
class Answered:
    """What the app answered to a press, a form or a command."""

    status: int
    body: Mapping[str, Any]


class SlackServer:
    """The workspace with its API. `deliver` takes a path, a body and headers to the app."""

    def __init__(self, workspace: Workspace | None = None) -> None:
        self.workspace = workspace or Workspace()
        self.deliver: Deliver | None = None
        self._sockets: list[WebSocket] = []
        self._joined = threading.Event()
        self._acknowledged: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        routes = [
            Route("/api/{method}", self._api, methods=["POST"]),
            Route("/response/{name}", self._response, methods=["POST"]),
            WebSocketRoute("/link", self._link),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="error", ws="websockets-sansio", lifespan="off")
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self._listening]))
        self._loop.close()

    def settings(self, **changes: Any) -> SlackSettings:
        """What the app has to be set to."""
        told = {
            "bot_token": BOT_TOKEN,
            "signing_secret": SIGNING_SECRET,
            "channel": CHANNEL,
            "api_url": f"{self.url}/api/",
        }
        return SlackSettings.model_validate(told | changes)

    def deliver_to(self, gateway_url: str) -> None:
        """Send what people do to the app at that address."""

        def post(path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
            told = httpx.post(f"{gateway_url}{path}", content=body, headers=dict(headers), timeout=ANSWER_SECONDS)
            return told.status_code, told.content

        self.deliver = post

    def wait_for_socket(self, *, seconds: float = 10.0) -> bool:
        """Wait until the app holds a socket open; whether it does."""
        return self._joined.wait(seconds)

    def drop_sockets(self) -> None:
        """Lose the connections, as Slack does every few hours."""
        for link in tuple(self._sockets):
            asyncio.run_coroutine_threadsafe(link.close(), self._loop).result(ANSWER_SECONDS)

    def press(self, user: str, ts: str, action_id: str, *, value: str | None = None, team: str = TEAM) -> Answered:
        """Somebody presses a button of a message; `value` is what a forged press would carry instead.

        Raises:
            PermanentError: the message never had such a button.
        """
        message = self.workspace.messages[ts]
        button = message.button(action_id)
        if button is None:
            raise PermanentError(f"the message {ts} has no button {action_id}")
        pressed = button if value is None else {**button, "value": value}
        payload = press_payload(
            message,
            pressed,
            _person(user, team),
            trigger=self.workspace.trigger(user),
            response_url=self._response_url(user),
            at=self.workspace.clock(),
        )
        return self._send("interactive", "/slack/interactions", payload)

    def submit(self, form: Form, values: Mapping[str, str], *, team: str = TEAM) -> Answered:
        """Whoever has the form open sends it; a form that the app finds fault with stays open."""
        user = _person(form.user, team)
        payload = form_payload(form, values, user, trigger=self.workspace.trigger(form.user))
        answered = self._send("interactive", "/slack/interactions", payload)
        form.errors = dict(answered.body.get("errors", {}))
        if answered.status == 200 and not form.errors:
            self.workspace.forms.pop(form.id, None)
        return answered

    def command(self, user: str, text: str, *, team: str = TEAM) -> Answered:
        """Somebody types `/healflow TEXT`."""
        fields = command_fields(
            text, _person(user, team), trigger=self.workspace.trigger(user), response_url=self._response_url(user)
        )
        return self._send("slash_commands", "/slack/commands", fields)

    def _response_url(self, user: str) -> str:
        return f"{self.url}/response/{self.workspace.response(user)}"

    def _send(self, kind: str, path: str, payload: Mapping[str, Any]) -> Answered:
        if self._sockets:
            return self._send_over_socket(kind, payload)
        if self.deliver is None:
            raise PermanentError("the app has neither an address nor a socket")
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        body, headers = signed(fields, at=self.workspace.clock())
        status, content = self.deliver(path, body, headers)
        return Answered(status, json.loads(content) if content else {})

    def _send_over_socket(self, kind: str, payload: Mapping[str, Any]) -> Answered:
        sending = asyncio.run_coroutine_threadsafe(self._envelope(kind, payload), self._loop)
        try:
            return Answered(200, sending.result())
        except TimeoutError:
            return Answered(504, {})

    async def _envelope(self, kind: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        envelope_id = str(uuid4())
        acknowledged = self._acknowledged[envelope_id] = self._loop.create_future()
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": True}
        await self._sockets[-1].send_text(json.dumps(envelope))
        try:
            return await asyncio.wait_for(acknowledged, ANSWER_SECONDS)
        finally:
            del self._acknowledged[envelope_id]

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        self.workspace.calls.append(method)
        if (fault := await self._fault()) is not None:
            return fault
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token != (APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN):
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        if method == "apps.connections.open":
            return JSONResponse({"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/link?ticket={uuid4()}"})
        try:
            return JSONResponse({"ok": True, **self.workspace.call(method, _arguments(await request.body()))})
        except Refused as error:
            return JSONResponse({"ok": False, "error": error.error, "detail": error.detail})

    async def _fault(self) -> Response | None:
        """What is answered instead, where the workspace does not behave."""
        while self.workspace.hanging:
            await asyncio.sleep(0.05)
        if self.workspace.outage:
            return Response("upstream connect error", status_code=503)
        if self.workspace.rate_limited:
            wait = str(self.workspace.rate_limited.pop(0))
            return JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers={"Retry-After": wait})
        return None

    async def _response(self, request: Request) -> Response:
        if (fault := await self._fault()) is not None:
            return fault
        try:
            self.workspace.respond(request.path_params["name"], _arguments(await request.body()))
        except Refused as error:
            return Response(error.error, status_code=404)
        return Response("ok")

    async def _link(self, link: WebSocket) -> None:
        await link.accept()
        await link.send_text(json.dumps({"type": "hello", "num_connections": len(self._sockets) + 1}))
        self._sockets.append(link)
        self._joined.set()
        try:
            while True:
                told = json.loads(await link.receive_text())
                waiting = self._acknowledged.get(told.get("envelope_id", ""))
                if waiting is not None and not waiting.done():
                    waiting.set_result(told.get("payload") or {})
        except WebSocketDisconnect:
            pass
        finally:
            self._sockets.remove(link)
            self._joined.clear()


def _arguments(body: bytes) -> Mapping[str, Any]:
    text = body.decode()
    if text.startswith("{"):
        read: Mapping[str, Any] = json.loads(text)
        return read
    return {name: values[0] for name, values in parse_qs(text).items()}


def _person(user: str, team: str) -> dict[str, Any]:
    return {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team}
