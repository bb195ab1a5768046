"""`POST /webhooks/github`: deliveries of GitHub, and those of the local pipeline, which speaks like it."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic.config import JsonDict

from deployments.gateway.answers import Accepted, refusals
from deployments.gateway.body import check_json, read_body
from deployments.gateway.gateway import Gateway
from deployments.gateway.payloads import GITHUB
from tasks.clients.ledger.events import COMMENTS
from tasks.domain.comment import CommentCommand
from tasks.errors import BadInputError
from tasks.intake import check_signature, parse_github

_EVENT: JsonDict = {"examples": ["workflow_run", "check_run"], "pattern": "^[a-z_]+$"}
_DELIVERY: JsonDict = {"pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$"}
"""Of the description alone: what is not so is told in words of our own."""
_OF_OTHERS = re.compile(r"(?:events|alertmanager|run|(?:issue|commit)_comment)[:-]")
"""How the deliveries of other doors, and comments, are called in the ledger."""


def github_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["webhooks"])

    @router.post(
        "/webhooks/github",
        status_code=202,
        response_model_exclude_none=True,
        summary="A GitHub webhook delivery, or one of the local pipeline",
        responses=refusals(400, 401, 408, 413, 415, 422, 503),
        openapi_extra=GITHUB,
    )
    async def github(
        request: Request,
        x_github_event: Annotated[str, Header(max_length=64, json_schema_extra=_EVENT)] = "",
        x_github_delivery: Annotated[str, Header(max_length=128, json_schema_extra=_DELIVERY)] = "",
        x_hub_signature_256: Annotated[str | None, Header(max_length=256)] = None,
    ) -> Accepted:
        body = await read_body(request, max_bytes=gateway.settings.event_max_bytes)
        check_signature(body, x_hub_signature_256, gateway.webhook_secrets)
        check_json(request)
        if _OF_OTHERS.match(x_github_delivery):  # nobody signs it, so that it could keep out what really is called so
            raise BadInputError("X-GitHub-Delivery is none that GitHub gives")
        now = datetime.now(UTC)
        parsed = parse_github(x_github_event, x_github_delivery, body, now=now)
        source = COMMENTS if isinstance(parsed, CommentCommand) else "github"
        return await gateway.accept_one(parsed, source=source, event_name=x_github_event, body=body, now=now)

    return router
