"""The gateway: what it refuses leaves nothing in the ledger; what it accepts is there before the answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.requests import Request
from starlette.types import Message

from deployments.gateway import make_app
from deployments.gateway.body import read_body
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.clients.pipeline import sign
from tasks.errors import BadInputError
from tasks.settings import Settings
from tests.unit.intake import alerts, payloads

SECRET = "s3cret-for-tests"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.in_folder(tmp_path)


def send(ledger: Ledger, body: bytes, *, settings: Settings | None = None, **changes: str | None) -> httpx.Response:
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "workflow_run",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": sign(body, SECRET),
    }
    for name, value in changes.items():
        key = name.replace("_", "-")
        headers = {k: v for k, v in headers.items() if k.lower() != key.lower()}
        if value is not None:
            headers[key] = value

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=make_app(settings or Settings(), ledger, SECRET))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.post("/webhooks/github", content=body, headers=headers)

    return asyncio.run(post())


def event(at: datetime | None = None) -> bytes:
    return json.dumps(payloads.local_run(updated_at=(at or datetime.now(UTC)).isoformat())).encode()


def nothing_kept(ledger: Ledger) -> bool:
    return ledger.events.pending() == () and ledger.incidents.newest() == ()


def test_secret_before_is_good_while_it_is_rotated_and_no_longer(ledger: Ledger) -> None:
    body = event()
    signed = sign(body, "the one before")
    assert send(ledger, body, x_hub_signature_256=signed).status_code == 401
    assert nothing_kept(ledger)
    rotating = Settings(webhook_secret_before=SecretStr("the one before"))
    assert send(ledger, body, settings=rotating, x_hub_signature_256=signed).status_code == 202
    assert send(ledger, body, settings=rotating, x_github_delivery="d-2").status_code == 202


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"x_hub_signature_256": None}, 401),
        ({"x_hub_signature_256": "sha256=" + "0" * 64}, 401),
        ({"content_type": "text/plain"}, 415),
        ({"x_github_event": None}, 400),
        ({"x_github_delivery": None}, 400),
        ({"x_github_delivery": "a b; rm -rf /"}, 400),
    ],
)
def test_bad_headers_are_refused(ledger: Ledger, changes: dict[str, str | None], status: int) -> None:
    answer = send(ledger, event(), **changes)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "hint"}
    assert nothing_kept(ledger)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\x00\xff", b'{"action": "completed"}'])
def test_malformed_body_is_refused_without_an_echo(ledger: Ledger, body: bytes) -> None:
    answer = send(ledger, body)
    assert answer.status_code in (400, 422)
    assert nothing_kept(ledger)


def test_oversized_event_is_refused_even_when_its_length_is_not_told(ledger: Ledger) -> None:
    settings = Settings(event_max_bytes=1_000)
    body = b'{"x": "' + b"y" * 2_000 + b'"}'
    assert send(ledger, body, settings=settings).status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"z" * 500

    async def post() -> int:
        transport = httpx.ASGITransport(app=make_app(settings, ledger, SECRET))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return (await client.post("/webhooks/github", content=chunks())).status_code

    assert asyncio.run(post()) == 413
    assert nothing_kept(ledger)


def arriving(*parts: Message, more: bool = True) -> Request:
    """A request whose body comes in these parts; after the last one nothing more comes while `more`."""
    waiting = iter(parts)

    async def receive() -> Message:
        part = next(waiting, None)
        if part is None and more:
            await asyncio.Event().wait()
        return part or {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


@pytest.mark.parametrize(("more", "status"), [(True, 408), (False, 400)])
def test_body_that_never_ends_is_given_up_and_one_that_breaks_off_is_no_error_of_ours(more: bool, status: int) -> None:
    request = arriving({"type": "http.request", "body": b"{", "more_body": True}, more=more)
    with pytest.raises(BadInputError) as caught:
        asyncio.run(read_body(request, max_bytes=1_000, seconds=0.01))
    assert caught.value.status_code == status


@pytest.mark.parametrize("taken", ["events:build-1", "issue_comment-77", "commit_comment-1", "run-1", "alertmanager-0"])
def test_delivery_cannot_take_the_name_of_one_of_another_door(ledger: Ledger, taken: str) -> None:
    """GitHub signs the body alone, so that whoever saw one could send it under any name and keep another event out."""
    assert send(ledger, event(), x_github_delivery=taken).status_code == 400
    assert nothing_kept(ledger)


def test_stale_event_is_refused(ledger: Ledger) -> None:
    answer = send(ledger, event(datetime.now(UTC) - timedelta(days=2)))
    assert (answer.status_code, "stale" in answer.json()["error"]) == (422, True)
    assert nothing_kept(ledger)


def test_accepted_event_is_in_the_ledger_once(ledger: Ledger) -> None:
    body = event()
    assert send(ledger, body).json() == {"accepted": "d-1", "duplicate": False}
    assert send(ledger, body).json() == {"accepted": "d-1", "duplicate": True}
    (kept,) = ledger.events.pending()
    assert kept.body == body


def call(
    ledger: Ledger, path: str, body: bytes, *, token: str | None, kind: str = "application/json"
) -> httpx.Response:
    """A call of a sender that cannot sign; two tokens are in force."""

    async def post() -> httpx.Response:
        app = make_app(Settings(), ledger, SECRET, event_tokens=["right", "next"])
        headers = {"Content-Type": kind} | ({"Authorization": token} if token is not None else {})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client:
            return await client.post(path, content=body, headers=headers)

    return asyncio.run(post())


@pytest.mark.parametrize("token", [None, "", "Bearer wrong", "Bearer ", "Basic right", "right", "Bearer right next"])
@pytest.mark.parametrize("path", ["/webhooks/prefect", "/webhooks/alertmanager"])
def test_call_without_a_valid_token_leaves_nothing(ledger: Ledger, path: str, token: str | None) -> None:
    assert call(ledger, path, alerts.notification(), token=token).status_code == 401
    assert nothing_kept(ledger)


@pytest.mark.parametrize("token", ["Bearer right", "Bearer next"])
def test_notification_is_one_delivery_with_either_token_of_the_pair(ledger: Ledger, token: str) -> None:
    body = alerts.notification(alerts.alert("A"), alerts.alert("B"))
    answer = call(ledger, "/webhooks/alertmanager", body, token=token)
    assert (answer.status_code, answer.json()["duplicate"]) == (202, False)
    assert call(ledger, "/webhooks/alertmanager", body, token=token).json()["duplicate"] is True
    (kept,) = ledger.events.pending()
    assert (kept.source, kept.body) == ("alertmanager", body)


def test_damaged_notification_is_refused_without_an_echo(ledger: Ledger) -> None:
    path, token = "/webhooks/alertmanager", "Bearer right"
    for body in (b"{", b"[]", alerts.notification(alerts.alert(startsAt="s3cret-word"))):
        answer = call(ledger, path, body, token=token)
        assert answer.status_code in (400, 422)
        assert "s3cret-word" not in answer.text
    assert call(ledger, path, alerts.notification(), token=token, kind="text/plain").status_code == 415
    assert call(ledger, path, b" " * 6_000_000, token=token).status_code == 413
    assert nothing_kept(ledger)


def test_large_notification_is_accepted_whole_or_refused(ledger: Ledger) -> None:
    many = [alerts.alert(fingerprint=f"{number:016x}") for number in range(2_500)]
    path, token = "/webhooks/alertmanager", "Bearer right"
    assert call(ledger, path, alerts.notification(*many, {}), token=token).status_code == 422
    assert nothing_kept(ledger)
    body = alerts.notification(*many)
    assert call(ledger, path, body, token=token).status_code == 202
    assert [event.body for event in ledger.events.pending()] == [body]


def test_malformed_header_is_refused_without_an_echo(ledger: Ledger) -> None:
    answer = send(ledger, event(), x_github_event="n0t-an-event" * 20)
    assert (answer.status_code, set(answer.json())) == (422, {"error", "hint"})
    assert "n0t-an-event" not in answer.text
    assert nothing_kept(ledger)


def test_unknown_address_and_method_are_refused_in_the_same_form(ledger: Ledger) -> None:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=make_app(Settings(), ledger, SECRET))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            slashed = [await client.post("/webhooks/github/"), await client.get("/approve/token/")]
            assert [answer.status_code for answer in slashed] == [404, 404], "no redirect to where Host says"
            assert [(await client.get(page)).status_code for page in ("/docs", "/redoc")] == [404, 404]
            return [await client.post("/webhooks/nobody", content=b"{}"), await client.get("/webhooks/github")]

    absent, wrong = asyncio.run(ask())
    assert (absent.status_code, wrong.status_code) == (404, 405)
    assert set(absent.json()) == set(wrong.json()) == {"error", "hint"}
    assert wrong.headers["allow"] == "POST"


def test_how_long_the_oldest_event_waits_is_told_until_it_was_handed_on(ledger: Ledger) -> None:
    now, client = datetime.now(UTC), TestClient(make_app(Settings(), ledger, SECRET))
    for name, ago in (("old", timedelta(hours=1)), ("new", timedelta(0))):
        kept = StoredEvent(delivery_id=name, source="events", event_name="x", body=b"{}", received_at=now - ago)
        assert ledger.event_writer.submit(kept).result(60)

    def told() -> tuple[float, float]:
        figures = (line.split() for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
        ready = client.get("/readyz").json()
        return ready["oldest_pending_seconds"], float(dict(figures)["healflow_oldest_pending_seconds"])

    assert all(3_600 <= seconds < 5_400 for seconds in told())
    ledger.events.settle("old", EventStatus.DISPATCHED)
    assert all(seconds < 1_800 for seconds in told())
    ledger.events.settle("new", EventStatus.DISPATCHED)
    assert told() == (0.0, 0.0)
