"""`GET /healthz` and `/readyz`: whether the process runs, and whether it can accept events."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from deployments.gateway.answers import refusals
from deployments.gateway.gateway import Gateway


class Alive(BaseModel):
    """The process runs."""

    model_config = ConfigDict(frozen=True)

    status: str = "ok"


class Ready(Alive):
    """Events can be accepted."""

    pending_events: int


def health_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the process runs")
    async def healthz() -> Alive:
        return Alive()

    @router.get("/readyz", summary="Whether events can be accepted, and how many wait", responses=refusals(503))
    async def readyz() -> Ready:
        pending = await asyncio.to_thread(gateway.ledger.events.pending, limit=1000)
        return Ready(pending_events=len(pending))

    return router
