"""The bodies of the doors whose forms are other people's, as far as they are read here, for the OpenAPI description.

Each door reads its body raw and refuses fields by name; these schemas say what it looks for. Senders send more.
"""

from collections.abc import Mapping
from typing import Any

from tasks.domain.approval import Answer
from tasks.domain.pipeline import Conclusion
from tasks.intake.prefect import HEAL_FLOW, WATCHED_FLOWS
from tasks.intake.slack import FIELD, MAX_INPUT, MAX_METADATA, MAX_VALUE

Schema = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
PRESSES, FORMS = "block_actions", "view_submission"


def described(schema: Mapping[str, Any], *, kind: str = "application/json", **encoding: str) -> Schema:
    """The body of one operation; `encoding` names the fields of a form that hold something else than text."""
    content: Schema = {"schema": dict(schema)}
    if encoding:
        content["encoding"] = {name: {"contentType": what} for name, what in encoding.items()}
    return {"requestBody": {"required": True, "content": {kind: content}}}


def _object(*required: str, told: str = "", **fields: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": fields}
    if required:
        schema["required"] = list(required)
    if told:
        schema["description"] = told
    return schema


def _text(limit: int = 0, *, least: int = 0, pattern: str = "", told: str = "") -> Schema:
    given = {"maxLength": limit, "minLength": least, "pattern": pattern, "description": told}
    return {"type": "string"} | {name: value for name, value in given.items() if value}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_MOMENT: Schema = {"type": "string", "format": "date-time"}
_UUID: Schema = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_COMMIT = _text(pattern="^[0-9a-f]{40}$")
_URL = _text(1_990, pattern="^(https?://|healflow-local:)[!-~]+$")
_OWNER_AND_NAME = "^[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$"
_REPOSITORY = _object("full_name", full_name=_text(140, pattern=_OWNER_AND_NAME))
_RUN = _object(
    "id",
    "head_sha",
    "head_branch",
    "html_url",
    "status",
    "conclusion",
    "updated_at",
    id={"type": ["integer", "string"], "minimum": 1, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
    run_attempt={"type": "integer", "minimum": 1, "maximum": 1_000},
    name=_or_null(_text()),
    event=_text(),
    head_sha=_COMMIT,
    head_branch=_or_null(_text()),
    html_url=_URL,
    status=_one_of("completed", "in_progress", "queued", "requested", "waiting", "pending"),
    conclusion=_or_null(_one_of(*Conclusion)),
    updated_at=_MOMENT,
    head_repository=_or_null(_REPOSITORY),
)

GITHUB = described(
    _object(
        action=_text(),
        workflow_run=_RUN,
        repository=_REPOSITORY,
        sender=_object(login=_text()),
        told="https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run; of others less is read",
    )
)

_ALERT = _object(
    "labels",
    "startsAt",
    status=_one_of("firing", "resolved"),
    labels={"type": "object", "additionalProperties": _text()},
    annotations={"type": "object", "additionalProperties": _text()},
    startsAt=_MOMENT,
    endsAt=_MOMENT,
    fingerprint=_text(64),
)

ALERTMANAGER = described(
    _object(
        "version",
        "status",
        "alerts",
        version=_one_of("4"),
        groupKey=_text(),
        truncatedAlerts={"type": "integer", "minimum": 0},
        status=_one_of("firing", "resolved"),
        groupLabels={"type": "object", "additionalProperties": _text()},
        alerts={"type": "array", "items": _ALERT, "minItems": 1},
        told="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    )
)

PREFECT = described(
    _object(
        "event_id",
        "flow_run_id",
        "flow",
        "state",
        "occurred",
        event_id=_UUID,
        flow_run_id=_UUID,
        flow={"anyOf": [_one_of(*WATCHED_FLOWS, HEAL_FLOW), _text(told="Of other flows nothing follows")]},
        flow_run=_text(),
        state=_one_of("Failed", "Crashed", "TimedOut", "Timed Out", "Suspended"),
        occurred=_MOMENT,
    )
)

_USER = _object("id", id=_text(40, least=1), username=_text(80), name=_text(80), team_id=_text(40))
_TEAM = _or_null(_object(id=_text(40)))
_BUTTON = _object(
    "action_id",
    "value",
    action_id=_text(255, told="Such as healflow.approve"),
    value=_text(MAX_VALUE, told="Its ticket"),
)
_PRESS = _object(
    "type",
    "user",
    "actions",
    type=_one_of(PRESSES),
    user=_USER,
    team=_TEAM,
    container=_object(message_ts=_text(40), is_ephemeral={"type": "boolean"}),
    channel=_or_null(_object(id=_text(40))),
    trigger_id=_text(200),
    response_url=_text(500),
    actions={"type": "array", "items": _BUTTON, "minItems": 1, "maxItems": 1},
)
_TYPED = _object(type=_text(), value=_or_null(_text(MAX_INPUT)))
_INPUT: Schema = {"type": "object", "properties": {FIELD: _TYPED}, "required": [FIELD]}
_STATE = _object("values", values={"type": "object", "additionalProperties": _INPUT, "maxProperties": 50})
_VIEW = _object(
    "callback_id",
    "state",
    callback_id=_text(255),
    private_metadata=_text(MAX_METADATA, told="Its ticket"),
    state=_STATE,
)
_SENT = _object("type", "user", "view", type=_one_of(FORMS), user=_USER, team=_TEAM, view=_VIEW)

SLACK_INTERACTION = described(
    _object(
        "payload",
        payload={"oneOf": [_PRESS, _SENT]},
        told="https://docs.slack.dev/reference/interaction-payloads; other types are answered, and nothing follows",
    ),
    kind=FORM,
    payload="application/json",
)

SLACK_COMMAND = described(
    _object(
        "user_id",
        "text",
        command=_text(),
        text=_text(MAX_INPUT, told="Such as `approve ID`"),
        user_id=_text(40, least=1),
        user_name=_text(80),
        team_id=_text(40),
        channel_id=_text(40),
        response_url=_text(500),
        trigger_id=_text(200),
        told="https://docs.slack.dev/interactivity/implementing-slash-commands",
    ),
    kind=FORM,
)

_EDITS = "^edit\\.[0-9]{1,2}\\.[a-z_]{1,40}$"
PAGE_ANSWER = described(
    _object(
        "answer",
        "seal",
        answer=_one_of(*(answer for answer in Answer if answer is not Answer.EXPIRED)),
        seal=_text(told="From the page, for the browser that it was shown in"),
        reason=_text(1_000, told="Of a no, which needs one"),
    )
    | {"patternProperties": {_EDITS: _text(200, told="Another value for a parameter, with `answer=edit`")}},
    kind=FORM,
)
