"""The gateway's doors in one application: each checks what it is given and commits it before it answers.

Every door is a router in a file of its own, made by a function of what the doors share; it is included here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from deployments.gateway.alertmanager import alertmanager_door
from deployments.gateway.answers import answer_errors
from deployments.gateway.events import events_door
from deployments.gateway.gateway import Gateway
from deployments.gateway.github import github_door
from deployments.gateway.health import health_door
from deployments.gateway.measuring import Measured, Measures
from deployments.gateway.metrics import metrics_door
from deployments.gateway.page import page_door
from deployments.gateway.prefect import prefect_door
from deployments.gateway.slack import slack_door
from tasks.clients.ledger import Ledger
from tasks.settings import Settings

Background = Callable[[asyncio.Event], Any]
DOORS: tuple[Callable[[Gateway], APIRouter], ...] = (
    github_door,
    prefect_door,
    alertmanager_door,
    events_door,
    slack_door,
    page_door,
    health_door,
    metrics_door,
)


def make_app(
    settings: Settings,
    ledger: Ledger,
    secret: str,
    *,
    event_tokens: Sequence[str] = (),
    event_secrets: Sequence[str] = (),
    link_key: bytes = b"",
    measures: Measures | None = None,
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
        await asyncio.to_thread(ledger.event_writer.close)

    # no pages that load scripts from elsewhere beside the approval page, and no redirects to where `Host` says
    app = FastAPI(
        title="Healflow gateway",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    answer_errors(app)
    before = settings.webhook_secret_before
    gateway = Gateway(
        settings=settings,
        ledger=ledger,
        webhook_secrets=(secret, before.get_secret_value()) if before is not None else (secret,),
        event_tokens=tuple(event_tokens),
        event_secrets=tuple(event_secrets),
        measures=measures or Measures(),
        link_key=link_key,
    )
    gateway.measures.watch(ledger)
    app.add_middleware(Measured, measures=gateway.measures)
    for door in DOORS:
        app.include_router(door(gateway))
    return app
