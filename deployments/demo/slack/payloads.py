"""What Slack sends to an app, in the shape of its documentation: presses, sent forms, commands.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from deployments.demo.slack.workspace import CHANNEL, SIGNING_SECRET, TEAM, Form, Message


def press_payload(
    message: Message, button: Mapping[str, Any], user: Mapping[str, Any], *, trigger: str, response_url: str, at: float
) -> dict[str, Any]:
    """Somebody pressed a button of a message."""
    return {
        "type": "block_actions",
        "user": dict(user),
        "api_app_id": "A0HEALFLOW",
        "token": "deprecated",
        "container": {"type": "message", "message_ts": message.ts, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": trigger,
        "team": {"id": TEAM, "domain": "loopback"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": CHANNEL, "name": "deploys"},
        "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [
            {
                "action_id": button["action_id"],
                "block_id": "made-by-slack",
                "text": button["text"],
                "value": button["value"],
                "type": "button",
                "action_ts": f"{at:.6f}",
            }
        ],
    }


def form_payload(form: Form, values: Mapping[str, str], user: Mapping[str, Any], *, trigger: str) -> dict[str, Any]:
    """Somebody sent a form; fields that they left alone hold what the form began with."""
    state = {}
    for block in form.view["blocks"]:
        if block["type"] == "input":
            field, key = block["element"], block["block_id"]
            value = values.get(key, field.get("initial_value"))
            state[key] = {field["action_id"]: {"type": field["type"], "value": value}}
    view = {
        **form.view,
        "id": form.id,
        "team_id": TEAM,
        "state": {"values": state},
        "hash": "1.abc",
        "root_view_id": form.id,
    }
    return {
        "type": "view_submission",
        "team": {"id": TEAM, "domain": "loopback"},
        "user": dict(user),
        "api_app_id": "A0HEALFLOW",
        "token": "deprecated",
        "trigger_id": trigger,
        "view": view,
        "response_urls": [],
    }


def command_fields(text: str, user: Mapping[str, Any], *, trigger: str, response_url: str) -> dict[str, str]:
    """Somebody gave a command."""
    return {
        "token": "deprecated",
        "team_id": str(user["team_id"]),
        "team_domain": "loopback",
        "channel_id": CHANNEL,
        "channel_name": "deploys",
        "user_id": str(user["id"]),
        "user_name": str(user["username"]),
        "command": "/healflow",
        "text": text,
        "api_app_id": "A0HEALFLOW",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def signed(fields: Mapping[str, str], *, at: float, secret: str = SIGNING_SECRET) -> tuple[bytes, dict[str, str]]:
    """The body of a request and its headers."""
    return signed_body(urlencode(fields).encode(), at=at, secret=secret)


def signed_body(body: bytes, *, at: float, secret: str = SIGNING_SECRET) -> tuple[bytes, dict[str, str]]:
    """The body with the headers that Slack signs it with.

    https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    mac = hmac.new(secret.encode(), f"v0:{int(at)}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": str(int(at)),
        "X-Slack-Signature": f"v0={mac}",
    }
    return body, headers
