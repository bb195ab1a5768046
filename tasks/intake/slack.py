"""Slack's requests: whether Slack sent them just now, and what a person did. Pure parsing, over HTTP and Socket Mode.

https://docs.slack.dev/authentication/verifying-requests-from-slack and
https://docs.slack.dev/reference/interaction-payloads
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from tasks.domain.chat import ChatCommand, ChatForm, ChatPerson, ChatPress
from tasks.domain.incident import Ignored
from tasks.errors import BadInputError
from tasks.intake.fields import Fields

SLACK_WINDOW_SECONDS = 300
"""How old, or how far ahead, a request may be; Slack's own recommendation."""
MAX_VALUE = 2_000
MAX_METADATA = 3_000
MAX_INPUT = 3_000
MAX_INPUTS = 50
FIELD = "value"
"""The action id that every input of our forms has; its block id says what it is."""
_MAX_FORM_FIELDS = 50


def check_slack_signature(
    body: bytes, timestamp: str | None, signature: str | None, secret: str, *, now: datetime
) -> None:
    """Check `v0=HEX`, the HMAC-SHA256 of `v0:TIMESTAMP:BODY`, in constant time, and that it was made just now.

    Raises:
        BadInputError: 401; a header is missing or malformed, the time is out of the window, or the secret is another.
    """
    if not secret:
        raise BadInputError("no signing secret of Slack is configured, so nothing of it is believed", status_code=401)
    if not timestamp or not signature or not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise BadInputError("the request is not signed as Slack signs", status_code=401)
    if abs(now.timestamp() - int(timestamp)) > SLACK_WINDOW_SECONDS:
        raise BadInputError("stale: the request was signed too long ago, or ahead of our clock", status_code=401)
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature.strip().encode("utf-8", "replace"), expected.encode()):
        raise BadInputError("the signature does not fit: check HEALFLOW_SLACK__SIGNING_SECRET", status_code=401)


def parse_slack_form(body: bytes) -> ChatPress | ChatForm | Ignored:
    """An interaction as HTTP brings it: one form field, `payload`, which holds JSON.

    Raises:
        BadInputError: 400 where it cannot be read, 422 where a field is missing or malformed.
    """
    text = _form(body).get("payload", "")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInputError("the field payload is no JSON") from None
    if not isinstance(payload, dict):
        raise BadInputError("the field payload is no JSON object")
    return parse_slack_interaction(payload)


def parse_slack_command_form(body: bytes) -> ChatCommand:
    """A command as HTTP brings it.

    Raises:
        BadInputError: 400 where it cannot be read, 422 where a field is missing or malformed.
    """
    return parse_slack_command(_form(body))


def parse_slack_interaction(payload: Mapping[str, Any]) -> ChatPress | ChatForm | Ignored:
    """What somebody pressed or sent; everything else that Slack tells is understood and needs nothing.

    Raises:
        BadInputError: 422; a field is missing or malformed.
    """
    fields = Fields(payload)
    kind = fields.text("type", limit=40)
    if kind == "block_actions":
        return _press(fields)
    if kind == "view_submission":
        return _sent(fields)
    if not kind:
        fields.refuse("type", "is missing")
    return Ignored(delivery_id="", event=kind, reason="nothing follows from it")


def parse_slack_command(fields: Mapping[str, Any]) -> ChatCommand:
    """A command.

    Raises:
        BadInputError: 422; a field is missing or malformed.
    """
    read = Fields(fields)
    person = ChatPerson(
        id=_id(read, "user_id"), name=read.text("user_name", limit=80), teams=_teams(read.text("team_id", limit=40))
    )
    return ChatCommand(
        text=read.text("text", limit=MAX_INPUT),
        person=person,
        channel=read.text("channel_id", limit=40),
        response_url=read.text("response_url", limit=500),
    )


def _press(fields: Fields) -> ChatPress:
    pressed = fields.each("actions")
    if len(pressed) != 1:
        fields.refuse("actions", "is not one press")
    container = fields.within_or_none("container")
    kept = container is not None and not container.flag("is_ephemeral")
    channel = fields.within_or_none("channel")
    return ChatPress(
        action=pressed[0].text("action_id", limit=255),
        value=pressed[0].text("value", limit=MAX_VALUE),
        person=_person(fields),
        channel=channel.text("id", limit=40) if channel else "",
        message=container.text("message_ts", limit=40) if container and kept else "",
        trigger=fields.text("trigger_id", limit=200),
        response_url=fields.text("response_url", limit=500),
    )


def _sent(fields: Fields) -> ChatForm:
    view = fields.within("view")
    return ChatForm(
        name=view.text("callback_id", limit=255),
        metadata=view.text("private_metadata", limit=MAX_METADATA),
        values=_inputs(view.within("state")),
        person=_person(fields),
    )


def _inputs(state: Fields) -> dict[str, str]:
    """`{BLOCK: {ACTION: {"type": …, "value": …}}}`, one input a block."""
    told = {}
    for block, inputs in state.objects("values", limit=MAX_INPUTS).items():
        held = inputs.within(FIELD)
        told[block] = held.lines("value", limit=MAX_INPUT)
    return told


def _person(fields: Fields) -> ChatPerson:
    user, team = fields.within("user"), fields.within_or_none("team")
    home, here = user.text("team_id", limit=40), team.text("id", limit=40) if team else ""
    name = user.text("username", limit=80) or user.text("name", limit=80)
    return ChatPerson(id=_id(user, "id"), name=name, teams=_teams(home, here))


def _teams(*told: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(team for team in told if team))


def _id(fields: Fields, name: str) -> str:
    value = fields.text(name, limit=40)
    if not value:
        fields.refuse(name, "is missing")
    return value


def _form(body: bytes) -> dict[str, str]:
    try:
        read = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS)
    except ValueError:
        raise BadInputError("the body is no form in UTF-8, or has too many fields") from None
    return {name: values[0] for name, values in read.items()}
