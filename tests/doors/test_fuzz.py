"""The gateway against requests made from its own description: whatever comes, no answer is an error of ours.

Most of what is made would end at the signature, so half of it is signed on the way in, body as it came; and enough of
that has to come past the reading of it, or nothing behind would be tried.
"""

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from schemathesis.specs.openapi.checks import status_code_conformance  # noqa: E402

from deployments.demo.slack import SlackServer  # noqa: E402
from deployments.gateway import make_app  # noqa: E402
from tasks.approve import form_seal, sign_link  # noqa: E402
from tasks.clients.ledger import EntryKind  # noqa: E402
from tasks.clients.pipeline import sign  # noqa: E402
from tasks.domain.approval import ApprovalLink  # noqa: E402
from tests.unit.approve.telling import Told  # noqa: E402

SECRET, TOKEN, LINK_KEY, COOKIE = "s3cret-for-tests", "token-for-tests-1", b"k" * 32, "the-browser-that-saw-it"
EXAMPLES = 40
PAST_READING = {
    "POST /webhooks/github": 0.3,
    "POST /webhooks/prefect": 0.3,
    "POST /webhooks/alertmanager": 0.3,
    "POST /webhooks/events": 0.1,
    "POST /slack/interactions": 0.3,
    "POST /slack/commands": 0.3,
    "POST /approve/{token}": 0.3,
}
"""The least share of signed requests that each door has to understand: all but those answered with one of these."""
UNREAD = {400, 401, 413, 415, 422}
CHECKS = (schemathesis.checks.not_a_server_error, status_code_conformance)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
AGO = st.sampled_from([0, 1, 3_600, 86_000, 10**7, -60, -(10**6)])
"""How old what is told is, in seconds: nearly all moments of the calendar are too old, and end at that."""


def _moments() -> st.SearchStrategy[str]:
    began = datetime.now(UTC)
    return AGO.map(lambda ago: (began - timedelta(seconds=ago)).isoformat())


class Signing:
    """Makes every request what its sender would have made of it, in front of the gateway: signed, and from a page."""

    def __init__(self, app: Any, another: Callable[[], str]) -> None:
        """`another` asks a question and returns the link to it, since each takes one answer only."""
        self._app, self._another = app, another

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        if scope["path"].startswith("/approve/"):
            link = self._another()
            scope = {**scope, "path": f"/approve/{link}", "raw_path": f"/approve/{link}".encode()}
            body = _sealed(body, link)
        given = {name.lower(): value for name, value in scope["headers"]}
        headers = _sent_always() | given | _signatures(body) | {b"content-length": str(len(body)).encode()}
        sent = iter(({"type": "http.request", "body": body, "more_body": False},))

        async def again() -> Scope:
            return next(sent, {"type": "http.disconnect"})

        await self._app({**scope, "headers": list(headers.items())}, again, send)


def _sealed(body: bytes, link: str) -> bytes:
    """The form with the seal of the page that showed it."""
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError:
        return body
    return urlencode(fields | {"seal": form_seal(link, COOKIE, LINK_KEY)}).encode()


def _sent_always() -> dict[bytes, bytes]:
    return {
        b"x-github-event": b"workflow_run",
        b"x-github-delivery": b"one-delivery",
        b"cookie": f"healflow_form={COOKIE}".encode(),
    }


def _signatures(body: bytes) -> dict[bytes, bytes]:
    at = str(int(time.time())).encode()

    def hexed(text: bytes) -> bytes:
        return hmac.new(SECRET.encode(), text + at + b":" + body, hashlib.sha256).hexdigest().encode()

    return {
        b"authorization": b"Bearer " + TOKEN.encode(),
        b"x-hub-signature-256": sign(body, SECRET).encode(),
        b"x-healflow-timestamp": at,
        b"x-healflow-signature": b"v1=" + hexed(b"v1:"),
        b"x-slack-request-timestamp": at,
        b"x-slack-signature": b"v0=" + hexed(b"v0:"),
    }


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        yield server


# Other threads of the session draw numbers at random too, which Hypothesis takes for a strategy that does.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("signed", [False, True], ids=["as it comes", "signed"])
def test_no_request_is_an_error_of_ours(tmp_path: Path, slack: SlackServer, signed: bool) -> None:
    schemathesis.openapi.format("date-time", _moments())
    asked = Told(tmp_path, at=datetime.now(UTC))
    given = {"home": tmp_path, "slack": slack.settings(signing_secret=SECRET)}
    gateway: Any = make_app(
        asked.settings.model_copy(update=given),
        asked.ledger,
        SECRET,
        event_tokens=[TOKEN],
        event_secrets=[SECRET],
        link_key=LINK_KEY,
    )
    app = Signing(gateway, lambda: _asked_again(asked)) if signed else gateway
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert set(PAST_READING) <= {operation.label for operation in operations}
    answered = {operation.label: _try_all(operation) for operation in operations}
    assert all(answered.values())
    if signed:
        shares = {label: _share_read(answered[label]) for label in PAST_READING}
        assert {label: found for label, found in shares.items() if found[0] < PAST_READING[label]} == {}


def _asked_again(asked: Told) -> str:
    """Another question about the same plan, and the link to it."""
    number = len(asked.ledger.approvals.of_incident(asked.incident.id))
    request = asked.request.model_copy(update={"id": f"{asked.request.id}-{number}", "nonce": f"nonce-{number}"})
    asked.ledger.approvals.ask(request)
    asked.write(EntryKind.ASKED, request)
    link = ApprovalLink(request_id=request.id, nonce=request.nonce, person="grace", made_by="ada")
    return sign_link(link, LINK_KEY)


def _share_read(codes: Counter[int]) -> tuple[float, Counter[int]]:
    """The share of requests that were understood, with what was answered."""
    read = sum(count for code, count in codes.items() if code not in UNREAD)
    return round(read / codes.total(), 2), codes


def _encoded(body: Any) -> Any:
    """A form whose fields hold JSON where the description says so, which the generator leaves to us."""
    if not isinstance(body, dict) or not isinstance(body.get("payload"), dict):
        return body
    return body | {"payload": json.dumps(body["payload"])}


def _try_all(operation: Any) -> Counter[int]:
    """How often each status code came."""
    codes: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answer(case: Any) -> None:
        case.body = _encoded(case.body)
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        codes[response.status_code] += 1

    answer()
    return codes
