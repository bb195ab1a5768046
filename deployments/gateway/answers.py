"""What every door answers: accepted, or refused with what is wrong and what to do; never with what was sent."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from tasks.errors import BadInputError, TransientError

_HINTS = {
    400: "compare the delivery with the sender's documentation of webhook events and payloads",
    401: "the sender and the gateway must share one secret or token, and one clock",
    404: "/openapi.json lists the addresses",
    405: "/openapi.json lists the methods of each address",
    408: "send the whole body at once",
    413: "HEALFLOW_EVENT_MAX_BYTES is the limit",
    415: "choose the content type application/json for the webhook",
    422: "the event was understood and cannot be used; redelivering it will not help",
    503: "the ledger does not answer; the sender may try again",
}
_MEANINGS = {
    400: "The body or a header cannot be read",
    401: "The signature or the token is missing or wrong, or the time is out of the window",
    408: "The body does not arrive",
    413: "The body is longer than the limit",
    415: "The content type is not application/json",
    422: "A field is missing or malformed, or the event is stale",
    503: "The ledger does not answer; nothing was accepted",
}


class Accepted(BaseModel):
    """The delivery is in the ledger."""

    model_config = ConfigDict(frozen=True)

    accepted: str = Field(description="The id of the delivery")
    duplicate: bool = Field(description="Whether it was there already")
    ignored: str | None = Field(default=None, description="Why it opens no incident, when it does not")


class Refused(BaseModel):
    """Nothing was kept."""

    model_config = ConfigDict(frozen=True)

    error: str = Field(description="What is wrong; nothing of what was sent is repeated")
    hint: str = Field(description="What to do")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of one address, for its OpenAPI description."""
    return {status: {"model": Refused, "description": _MEANINGS[status]} for status in statuses}


def refuse(status: int, error: str, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """One refusal."""
    refused = Refused(error=error, hint=_HINTS.get(status, ""))
    return JSONResponse(refused.model_dump(), status_code=status, headers=dict(headers or {}))


def answer_errors(app: FastAPI) -> None:
    """Turn every error of a door into a refusal."""

    @app.exception_handler(BadInputError)
    async def bad_input(_request: Request, error: BadInputError) -> JSONResponse:
        return refuse(error.status_code, str(error))

    @app.exception_handler(TransientError)
    async def unavailable(_request: Request, _error: TransientError) -> JSONResponse:
        return refuse(503, "the event was not accepted")

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        # FastAPI's own answer repeats what was sent
        places = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        return refuse(422, f"malformed request: {', '.join(places)[:300]}")

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: HTTPException) -> JSONResponse:
        return refuse(error.status_code, str(error.detail), headers=error.headers)
