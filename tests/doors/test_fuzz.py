"""The gateway against requests made from its own description: whatever comes, no answer is an error of ours.

Most of what is made would end at the signature, so half of it is signed on the way in, body as it came.
"""

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from pydantic import SecretStr  # noqa: E402
from schemathesis.specs.openapi.checks import status_code_conformance  # noqa: E402

from deployments.gateway import make_app  # noqa: E402
from tasks.clients.ledger import Ledger  # noqa: E402
from tasks.clients.pipeline import sign  # noqa: E402
from tasks.settings import Settings, SlackSettings  # noqa: E402

SECRET, TOKEN = "s3cret-for-tests", "token-for-tests-1"
EXAMPLES, MIN_OPERATIONS = 40, 8
CHECKS = (schemathesis.checks.not_a_server_error, status_code_conformance)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]


class Signing:
    """Signs every request as its sender would, in front of the gateway."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        signed = _signatures(body)
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in signed]
        given = iter(({"type": "http.request", "body": body, "more_body": False},))

        async def again() -> Scope:
            return next(given, {"type": "http.disconnect"})

        await self._app({**scope, "headers": [*kept, *signed.items()]}, again, send)


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


@pytest.mark.parametrize("signed", [False, True], ids=["as it comes", "signed"])
def test_no_request_is_an_error_of_ours(tmp_path: Path, signed: bool) -> None:
    gateway: Any = make_app(
        Settings(home=tmp_path, slack=SlackSettings(signing_secret=SecretStr(SECRET))),
        Ledger.in_folder(tmp_path),
        SECRET,
        event_tokens=[TOKEN],
        event_secrets=[SECRET],
        link_key=b"k" * 32,
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", Signing(gateway) if signed else gateway)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= MIN_OPERATIONS
    answered = {operation.label: _try_all(operation) for operation in operations}
    assert all(answered.values())
    if signed:
        assert [label for label, codes in answered.items() if "webhooks" in label and codes <= {401}] == []


def _try_all(operation: Any) -> set[int]:
    """The status codes that came."""
    codes: set[int] = set()

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
        response = case.call()
        case.validate_response(response, checks=CHECKS)
        codes.add(response.status_code)

    answer()
    return codes
