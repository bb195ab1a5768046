"""`GET /metrics`: the gateway's figures for Prometheus."""

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from deployments.gateway.gateway import Gateway


def metrics_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["operation"])

    @router.get(
        "/metrics",
        summary="Figures in Prometheus's text format",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The figures"}},
    )
    async def metrics() -> Response:
        text = await asyncio.to_thread(gateway.measures.text)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router
