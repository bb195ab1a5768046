"""`GET /healthz` and `/readyz`: whether the process runs, and whether it can accept events."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from deployments.gateway.answers import refusals
from deployments.gateway.gateway import Gateway


class Alive(BaseModel):
    """The process runs."""

    model_config = ConfigDict(frozen=True)

    status: str = "ok"


class Ready(Alive):
    """Events can be accepted."""

    pending_events: int = Field(description="Accepted and not handed on yet")
    oldest_pending_seconds: float = Field(description="How long the oldest of them waits; 0 when none does")
    unstarted_incidents: int = Field(description="Incidents that wait for their run, as while Prefect is away")
    dispatcher_waits: bool = Field(description="Whether Prefect or the ledger does not answer; the log says which")


def health_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the process runs")
    async def healthz() -> Alive:
        return Alive()

    @router.get("/readyz", summary="Whether events can be accepted, and how many wait", responses=refusals(503))
    async def readyz() -> Ready:
        return await asyncio.to_thread(_ready, gateway)

    return router


def _ready(gateway: Gateway) -> Ready:
    backlog = gateway.ledger.events.backlog()
    waits = (datetime.now(UTC) - backlog.oldest_at).total_seconds() if backlog.oldest_at else 0.0
    return Ready(
        pending_events=backlog.pending,
        oldest_pending_seconds=round(max(0.0, waits), 1),
        unstarted_incidents=gateway.ledger.incidents.count_unstarted(),
        dispatcher_waits=gateway.measures.dispatcher_waits,
    )
