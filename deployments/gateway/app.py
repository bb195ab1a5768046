"""The webhook door: checks an event, commits it to the ledger, answers; everything else happens after."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse

from deployments.gateway.body import read_body
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.incident import Ignored, Signal
from tasks.errors import BadInputError, TransientError
from tasks.intake import check_age, check_bearer, check_signature, parse_github, parse_prefect
from tasks.settings import Settings

_HINTS = {
    400: "compare the delivery with GitHub's documentation of webhook events and payloads",
    401: "the sender and HEALFLOW_WEBHOOK_SECRET must share one secret",
    413: "HEALFLOW_EVENT_MAX_BYTES is the limit",
    415: "choose the content type application/json for the webhook",
    422: "the event was understood and cannot be used; redelivering it will not help",
    503: "the ledger does not answer; the sender may try again",
}
Background = Callable[[asyncio.Event], Any]


def make_app(
    settings: Settings,
    ledger: Ledger,
    secret: str,
    *,
    event_tokens: Sequence[str] = (),
    background: Background | None = None,
) -> FastAPI:
    """The gateway over one ledger. `background` runs beside it until the event that it is given is set."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = asyncio.Event()
        running = asyncio.create_task(background(stop)) if background else None
        yield
        stop.set()
        if running is not None:
            await running

    app = FastAPI(title="Healflow gateway", version="0.1.0", lifespan=lifespan)

    @app.exception_handler(BadInputError)
    async def refuse(_request: Request, error: BadInputError) -> JSONResponse:
        return _answer(error.status_code, str(error))

    @app.exception_handler(TransientError)
    async def unavailable(_request: Request, _error: TransientError) -> JSONResponse:
        return _answer(503, "the event was not accepted")

    @app.post("/webhooks/github", status_code=202, summary="A GitHub webhook delivery, or one of the local pipeline")
    async def github(
        request: Request,
        x_github_event: Annotated[str, Header(max_length=64)] = "",
        x_github_delivery: Annotated[str, Header(max_length=128)] = "",
        x_hub_signature_256: Annotated[str | None, Header(max_length=256)] = None,
        content_type: Annotated[str, Header(max_length=128)] = "",
    ) -> dict[str, Any]:
        body = await read_body(request, max_bytes=settings.event_max_bytes)
        check_signature(body, x_hub_signature_256, [secret])
        if content_type.split(";")[0].strip().lower() != "application/json":
            raise BadInputError("the content type is not application/json", status_code=415)
        return await asyncio.to_thread(_accept, settings, ledger, x_github_event, x_github_delivery, body)

    @app.post("/webhooks/prefect", status_code=202, summary="A failed flow run, told by an automation of Prefect")
    async def prefect(
        request: Request, authorization: Annotated[str | None, Header(max_length=512)] = None
    ) -> dict[str, Any]:
        check_bearer(authorization, event_tokens)
        body = await read_body(request, max_bytes=settings.event_max_bytes)
        return await asyncio.to_thread(_accept_prefect, settings, ledger, body)

    _add_health(app, ledger)
    return app


def _add_health(app: FastAPI, ledger: Ledger) -> None:
    @app.get("/healthz", summary="Whether the process runs")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Whether events can be accepted, and how many wait")
    async def readyz() -> dict[str, Any]:
        pending = await asyncio.to_thread(ledger.events.pending, limit=1000)
        return {"status": "ok", "pending_events": len(pending)}


def _accept(settings: Settings, ledger: Ledger, event_name: str, delivery_id: str, body: bytes) -> dict[str, Any]:
    now = datetime.now(UTC)
    parsed = parse_github(event_name, delivery_id, body, now=now)
    return _store(settings, ledger, parsed, source="github", event_name=event_name, body=body, now=now)


def _accept_prefect(settings: Settings, ledger: Ledger, body: bytes) -> dict[str, Any]:
    now = datetime.now(UTC)
    parsed = parse_prefect(body, now=now)
    return _store(settings, ledger, parsed, source="prefect", event_name="flow_run", body=body, now=now)


def _store(
    settings: Settings,
    ledger: Ledger,
    parsed: Signal | Ignored,
    *,
    source: str,
    event_name: str,
    body: bytes,
    now: datetime,
) -> dict[str, Any]:
    delivery_id = parsed.delivery_id
    ignored = isinstance(parsed, Ignored)
    if not isinstance(parsed, Ignored):
        check_age(parsed.occurred_at, now=now, max_age_seconds=settings.event_max_age_seconds)
    new = ledger.events.accept(
        StoredEvent(
            delivery_id=delivery_id,
            source=source,
            event_name=event_name,
            body=b"" if ignored else body,
            received_at=now,
            status=EventStatus.IGNORED if ignored else EventStatus.PENDING,
            note=parsed.reason if isinstance(parsed, Ignored) else "",
        )
    )
    answer: dict[str, Any] = {"accepted": delivery_id, "duplicate": not new}
    if isinstance(parsed, Ignored):
        answer["ignored"] = parsed.reason
    return answer


def _answer(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message, "hint": _HINTS.get(status, "")}, status_code=status)
