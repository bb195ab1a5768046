"""`POST /slack/interactions` and `/slack/commands`: presses, forms and commands, signed by Slack.

What a press asks for is done before the answer where it does not take long, so that a press that was answered stands in
the ledger; Slack tells the person when none comes. What takes longer is answered before, since Slack gives three
seconds and hangs up then.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from deployments.gateway.answers import refusals
from deployments.gateway.body import read_body
from deployments.gateway.gateway import Gateway
from deployments.gateway.payloads import SLACK_COMMAND, SLACK_INTERACTION
from deployments.slack.door import SlackDoor
from tasks.clients.slack import SlackClient
from tasks.domain.chat import ChatCommand, ChatForm, ChatPress
from tasks.domain.incident import Ignored
from tasks.errors import BadInputError
from tasks.intake import check_slack_signature, parse_slack_command_form, parse_slack_form

MAX_BYTES = 1_000_000
"""A payload holds the whole message that was pressed, which is well below this."""
ANSWERED_WITHIN_SECONDS = 1.5
"""Half of what Slack gives, for the other half is for the way."""
_Timestamp = Annotated[str | None, Header(alias="X-Slack-Request-Timestamp", max_length=40)]
_Signature = Annotated[str | None, Header(alias="X-Slack-Signature", max_length=256)]


def _now() -> datetime:
    return datetime.now(UTC)


async def _finish(work: asyncio.Future[None]) -> None:
    """Holds the process for what has been answered and is not done."""
    await work


def slack_door(gateway: Gateway, *, clock: Callable[[], datetime] = _now) -> APIRouter:
    """The router of this door; without Slack's secret and token it refuses everything."""
    router = APIRouter(tags=["slack"])
    slack = gateway.settings.slack
    door = SlackDoor(gateway.settings, gateway.ledger, SlackClient(slack), clock=clock) if slack.bot_token else None

    async def signed(request: Request, timestamp: str | None, signature: str | None) -> bytes:
        body = await read_body(request, max_bytes=min(MAX_BYTES, gateway.settings.event_max_bytes))
        secret = slack.signing_secret.get_secret_value() if slack.signing_secret else ""
        check_slack_signature(body, timestamp, signature, secret, now=clock())
        return body

    async def answer(given: ChatPress | ChatForm | ChatCommand | Ignored) -> Response:
        if door is None:
            raise BadInputError("Slack is not set up: set HEALFLOW_SLACK__BOT_TOKEN", status_code=401)
        if isinstance(given, Ignored):
            return Response()
        reply = door.take(given)
        work = asyncio.ensure_future(run_in_threadpool(reply.after))
        await asyncio.wait({work}, timeout=ANSWERED_WITHIN_SECONDS)
        after = BackgroundTask(_finish, work)
        return JSONResponse(dict(reply.body), background=after) if reply.body else Response(background=after)

    @router.post(
        "/slack/interactions",
        summary="A press or a form in Slack",
        openapi_extra=SLACK_INTERACTION,
        responses=refusals(400, 401, 408, 413, 422),
        response_class=Response,
    )
    async def interactions(request: Request, timestamp: _Timestamp = None, signature: _Signature = None) -> Response:
        return await answer(parse_slack_form(await signed(request, timestamp, signature)))

    @router.post(
        "/slack/commands",
        summary="The command /healflow",
        openapi_extra=SLACK_COMMAND,
        responses=refusals(400, 401, 408, 413, 422),
        response_class=Response,
    )
    async def commands(request: Request, timestamp: _Timestamp = None, signature: _Signature = None) -> Response:
        return await answer(parse_slack_command_form(await signed(request, timestamp, signature)))

    return router
