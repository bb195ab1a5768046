"""`POST /webhooks/alertmanager`: what a `webhook_config` of Alertmanager sends, a group of alerts at a time."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request

from deployments.gateway.answers import Accepted, refusals
from deployments.gateway.body import check_json, read_body
from deployments.gateway.gateway import Gateway
from deployments.gateway.payloads import ALERTMANAGER
from tasks.intake import check_bearer, parse_alertmanager

LARGE_BYTES = 100_000
"""Some 250 alerts. Reading more takes as long as answering many other calls, which go on meanwhile."""


def alertmanager_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/webhooks/alertmanager",
        status_code=202,
        response_model_exclude_none=True,
        summary="A notification of Alertmanager: alerts that fire, and alerts that no longer do",
        responses=refusals(400, 401, 408, 413, 415, 422, 503),
        openapi_extra=ALERTMANAGER,
    )
    async def alertmanager(
        request: Request, authorization: Annotated[str | None, Header(max_length=512)] = None
    ) -> Accepted:
        check_bearer(authorization, gateway.event_tokens)
        check_json(request)
        body = await read_body(request, max_bytes=gateway.settings.event_max_bytes)
        now = datetime.now(UTC)
        if len(body) > LARGE_BYTES:
            told = await asyncio.to_thread(parse_alertmanager, body, now=now)
        else:
            told = parse_alertmanager(body, now=now)
        return await gateway.accept(told, source="alertmanager", event_name="alerts", body=body, now=now)

    return router
