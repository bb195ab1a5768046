"""`POST /webhooks/prefect`: what an automation of Prefect calls through the Webhook block."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request

from deployments.gateway.answers import Accepted, refusals
from deployments.gateway.body import read_body
from deployments.gateway.gateway import Gateway
from deployments.gateway.payloads import PREFECT
from tasks.intake import check_bearer, parse_prefect


def prefect_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/webhooks/prefect",
        status_code=202,
        response_model_exclude_none=True,
        summary="A flow run that failed, or a heal that waits, told by an automation of Prefect",
        responses=refusals(400, 401, 408, 413, 422, 503),
        openapi_extra=PREFECT,
    )
    async def prefect(
        request: Request, authorization: Annotated[str | None, Header(max_length=512)] = None
    ) -> Accepted:
        check_bearer(authorization, gateway.event_tokens)
        body = await read_body(request, max_bytes=gateway.settings.event_max_bytes)
        now = datetime.now(UTC)
        parsed = parse_prefect(body, now=now)
        return await gateway.accept_one(parsed, source="prefect", event_name="flow_run", body=body, now=now)

    return router
