"""Reads a request's body with a limit that holds while it arrives, and checks what kind it says it is."""

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from tasks.errors import BadInputError

BODY_SECONDS = 30.0
"""How long a body may take to arrive: nobody holds a connection open by sending slowly."""


async def read_body(request: Request, *, max_bytes: int, seconds: float = BODY_SECONDS) -> bytes:
    """The raw body.

    Raises:
        BadInputError: 413; it is longer than `max_bytes`, announced or not; 408; it has not arrived within `seconds`;
            400; it broke off.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, max_bytes)
    except TimeoutError:
        raise BadInputError(f"the body did not arrive within {seconds:.0f} s", status_code=408) from None
    except ClientDisconnect:
        raise BadInputError("the body broke off before its end") from None


async def _read(request: Request, max_bytes: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    return b"".join(parts)


def check_json(request: Request) -> None:
    """Check the content type.

    Raises:
        BadInputError: 415; it is not application/json.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise BadInputError("the content type is not application/json", status_code=415)


def _too_large(max_bytes: int) -> BadInputError:
    return BadInputError(f"the event is larger than {max_bytes} bytes", status_code=413)
