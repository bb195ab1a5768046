"""What the workspace holds: people, one channel, messages, forms, and what is good for how long."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deployments.demo.slack.limits import Refused, check_blocks, check_view, texts_of

BOT_TOKEN = "xoxb-loopback"
APP_TOKEN = "xapp-loopback"
SIGNING_SECRET = "signs-on-loopback"
CHANNEL = "C0DEPLOYS"
TEAM = "T0LOOP"
BOT_USER = "U0HEALFLOW"
TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS, RESPONSE_USES = 1_800.0, 5


@dataclass
class Message:
    """One message of the channel."""

    ts: str
    blocks: list[dict[str, Any]]
    text: str
    thread_ts: str | None = None
    versions: list[list[dict[str, Any]]] = field(default_factory=list)
    """What stood there before, oldest first."""

    def button(self, action_id: str) -> dict[str, Any] | None:
        """The button of that name, as the message stands or as a screen that was not renewed shows it still."""
        shown = (block for blocks in (self.blocks, *reversed(self.versions)) for block in blocks)
        buttons = (one for block in shown if block["type"] == "actions" for one in block["elements"])
        return next((one for one in buttons if one["action_id"] == action_id), None)

    @property
    def heading(self) -> str:
        """What stands on top."""
        return next((str(block["text"]["text"]) for block in self.blocks if block["type"] == "header"), self.text)

    @property
    def texts(self) -> list[str]:
        """What is read below the heading, a line for each block."""
        below = (block for block in self.blocks if block["type"] not in ("header", "actions"))
        return [" ".join(" ".join(texts_of(block)).split()) for block in below]

    @property
    def button_texts(self) -> list[str]:
        """What stands on the buttons."""
        rows = [block["elements"] for block in self.blocks if block["type"] == "actions"]
        return [str(button["text"]["text"]) for row in rows for button in row]

    @property
    def has_buttons(self) -> bool:
        """Whether there is anything to press, as the message stands."""
        return any(block["type"] == "actions" for block in self.blocks)


@dataclass
class Whisper:
    """What one person alone was shown."""

    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Form:
    """A form that is open on somebody's screen."""

    id: str
    user: str
    view: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    """What it was refused with when it was sent."""


class Workspace:
    """The state behind the API. `clock` is seconds; a test hands in one that it moves itself."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.messages: dict[str, Message] = {}
        self.whispers: list[Whisper] = []
        self.forms: dict[str, Form] = {}
        self.outage = False
        self.hanging = False
        """Whether calls are taken and not answered."""
        self.rate_limited: list[int] = []
        """Retry-After of the next calls, one for each."""
        self.calls: list[str] = []
        """The methods that were called, refused ones included."""
        self._triggers: dict[str, tuple[str, float]] = {}
        self._responses: dict[str, tuple[str, float, int]] = {}
        self._lock = threading.Condition()
        self._sent = 0

    @property
    def cards(self) -> list[Message]:
        """The messages that start a thread, oldest first."""
        return [message for message in self.messages.values() if message.thread_ts is None]

    def thread(self, ts: str) -> list[str]:
        """What was said below a message."""
        return [message.text for message in self.messages.values() if message.thread_ts == ts]

    def trigger(self, user: str) -> str:
        """What a press hands out, good for one form within three seconds."""
        name = f"{secrets.randbelow(10**9)}.{secrets.token_hex(8)}"
        self._triggers[name] = (user, self.clock() + TRIGGER_SECONDS)
        return name

    def response(self, user: str) -> str:
        """The name of an address for answers to one press or command."""
        name = secrets.token_urlsafe(16)
        self._responses[name] = (user, self.clock() + RESPONSE_SECONDS, RESPONSE_USES)
        return name

    def call(self, method: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """One call of the Web API by the app.

        Raises:
            Refused: with the error name that Slack documents.
        """
        known: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "auth.test": lambda _given: {"team_id": TEAM, "user_id": BOT_USER, "team": "Loopback", "url": ""},
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._whisper,
            "views.open": self._open,
        }
        if method not in known:
            raise Refused("unknown_method")
        with self._lock:
            try:
                return known[method](given)
            finally:
                self._lock.notify_all()

    def wait_until(self, done: Callable[[], bool], *, seconds: float = 10.0) -> bool:
        """Wait for calls of the app until `done` holds, at most so many seconds; whether it does."""
        with self._lock:
            return self._lock.wait_for(done, seconds)

    def respond(self, name: str, given: Mapping[str, Any]) -> None:
        """Something sent to an address for answers.

        Raises:
            Refused: it is unknown, too old or used up.
        """
        with self._lock:
            user, until, left = self._responses.get(name, ("", 0.0, 0))
            if not user or self.clock() > until:
                raise Refused("expired_url")
            if left == 0:
                raise Refused("used_url")
            if given.get("blocks"):
                check_blocks(given["blocks"])
            self._responses[name] = (user, until, left - 1)
            self.whispers.append(Whisper(user, str(given.get("text", "")), list(given.get("blocks") or [])))
            self._lock.notify_all()

    def _post(self, given: Mapping[str, Any]) -> dict[str, Any]:
        _in_channel(given)
        check_blocks(given.get("blocks"))
        self._sent += 1
        message = Message(
            ts=f"{int(self.clock())}.{self._sent:06d}",
            blocks=list(given["blocks"]),
            text=str(given.get("text", "")),
            thread_ts=given.get("thread_ts"),
        )
        if message.thread_ts is not None and message.thread_ts not in self.messages:
            raise Refused("thread_not_found")
        self.messages[message.ts] = message
        return {"channel": CHANNEL, "ts": message.ts}

    def _update(self, given: Mapping[str, Any]) -> dict[str, Any]:
        _in_channel(given)
        check_blocks(given.get("blocks"))
        message = self.messages.get(str(given.get("ts")))
        if message is None:
            raise Refused("message_not_found")
        message.versions.append(message.blocks)
        message.blocks, message.text = list(given["blocks"]), str(given.get("text", ""))
        return {"channel": CHANNEL, "ts": message.ts, "text": message.text}

    def _whisper(self, given: Mapping[str, Any]) -> dict[str, Any]:
        _in_channel(given)
        if not str(given.get("user", "")).startswith(("U", "W")):
            raise Refused("user_not_in_channel")
        self.whispers.append(Whisper(str(given["user"]), str(given.get("text", ""))))
        return {"message_ts": f"{int(self.clock())}.000000"}

    def _open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        user, until = self._triggers.pop(str(given.get("trigger_id")), ("", 0.0))
        if not user:
            raise Refused("exchanged_trigger_id")
        if self.clock() > until:
            raise Refused("expired_trigger_id")
        check_view(given.get("view", {}))
        form = Form(id=f"V{secrets.token_hex(6).upper()}", user=user, view=dict(given["view"]))
        self.forms[form.id] = form
        return {"view": {**form.view, "id": form.id}}


def _in_channel(given: Mapping[str, Any]) -> None:
    if given.get("channel") != CHANNEL:
        raise Refused("channel_not_found")
