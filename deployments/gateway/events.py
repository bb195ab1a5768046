"""`POST /webhooks/events`: our own signed format, for any other sender; docs/events.md has it to copy."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request

from deployments.gateway.answers import Accepted, refusals
from deployments.gateway.body import check_json, read_body
from deployments.gateway.describing import body_of
from deployments.gateway.gateway import Gateway
from tasks.intake import EventPayload, check_age, check_event_signature, parse_event


def events_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/webhooks/events",
        status_code=202,
        response_model_exclude_none=True,
        summary="A failure, or the end of one, told by any other sender",
        responses=refusals(400, 401, 408, 413, 415, 422, 503),
        openapi_extra=body_of(EventPayload),
    )
    async def events(
        request: Request,
        x_healflow_timestamp: Annotated[str | None, Header(max_length=12, description="Seconds since 1970")] = None,
        x_healflow_signature: Annotated[
            str | None, Header(max_length=128, description="`v1=` and the HMAC-SHA256 of `v1:TIMESTAMP:BODY` in hex")
        ] = None,
    ) -> Accepted:
        body = await read_body(request, max_bytes=gateway.settings.event_max_bytes)
        now = datetime.now(UTC)
        check_event_signature(body, x_healflow_timestamp, x_healflow_signature, gateway.event_secrets, now=now)
        check_json(request)
        told = parse_event(body, now=now)
        for signal in told.signals:
            check_age(signal.occurred_at, now=now, max_age_seconds=gateway.settings.event_max_age_seconds)
        return await gateway.accept(told, source="events", event_name="event", body=body, now=now)

    return router
