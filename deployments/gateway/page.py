"""`GET` and `POST /approve/{token}`: the approval page, for people without Slack.

Looking never changes anything, because mail scanners and previews look too. An answer needs the form of the page, sent
by the browser that it was shown in, and is then judged like every other.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from deployments.gateway.body import read_body
from deployments.gateway.gateway import Gateway
from deployments.gateway.page_answers import MAX_FORM_BYTES, Page, Told, refused_form
from deployments.gateway.page_html import message_page
from deployments.gateway.page_style import HEADERS
from deployments.gateway.payloads import PAGE_ANSWER
from tasks.errors import BadInputError, HealflowError, TransientError

COOKIE = "healflow_form"
_TITLES = {
    400: "This link is not good",
    403: "That does not count",
    404: "There is no such question",
    408: "That did not arrive",
    409: "That was answered, or has moved on",
    410: "The question has expired",
    413: "That is too much",
    415: "That did not come from this page",
    422: "Something is missing",
    503: "Not now",
}


def page_door(gateway: Gateway) -> APIRouter:
    """The router of this door."""
    router = APIRouter(tags=["approval page"])
    page = Page(gateway)

    @router.head("/approve/{token}", include_in_schema=False)
    @router.get(
        "/approve/{token}",
        response_class=HTMLResponse,
        summary="A question to a person, by a signed link; looking changes nothing",
        responses=_described(400, 404, 409, 503),
        operation_id="show_question",
    )
    async def show(request: Request, token: str) -> Response:
        cookie = _cookie(request) or secrets.token_urlsafe(18)
        return _respond(gateway, await _told(lambda: page.show(token, cookie, now=datetime.now(UTC))), cookie)

    @router.post(
        "/approve/{token}",
        response_class=HTMLResponse,
        summary="The answer, from the form of the page alone",
        responses=_described(303, 400, 403, 404, 408, 409, 410, 413, 415, 422, 503),
        operation_id="answer_question",
        openapi_extra=PAGE_ANSWER,
    )
    async def answer(request: Request, token: str) -> Response:
        try:
            form = await _form(request)
        except BadInputError as error:
            return _respond(gateway, Told(error.status_code, _page_of(error.status_code, str(error))), "")
        cookie, now = _cookie(request), datetime.now(UTC)
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _respond(gateway, await _told(lambda: page.refuse(token, refused_form(), now=now)), cookie)
        return _respond(gateway, await _told(lambda: page.answer(token, cookie, form, now=now)), cookie)

    return router


async def _told(say: Callable[[], Told]) -> Told:
    try:
        told = await asyncio.to_thread(say)
    except BadInputError as error:
        return Told(error.status_code, _page_of(error.status_code, str(error)))
    except TransientError:
        return Told(503, _page_of(503, "The ledger does not answer. Nothing was recorded; try again in a minute."))
    except HealflowError as error:
        return Told(409, _page_of(409, str(error)))
    return told if told.html or told.status == 303 else Told(told.status, _page_of(told.status, told.message))


def _respond(gateway: Gateway, told: Told, cookie: str) -> Response:
    if told.status == 303:
        return Response(status_code=303, headers={**HEADERS, "Location": told.message})
    response = HTMLResponse(told.html, status_code=told.status, headers=HEADERS)
    if cookie:
        secure = (gateway.settings.approvals.public_url or "").startswith("https://")
        response.set_cookie(
            COOKIE, cookie, max_age=86_400, path="/approve", secure=secure, httponly=True, samesite="strict"
        )
    return response


def _page_of(status: int, message: str) -> str:
    text = message[:1].upper() + message[1:]
    return message_page(_TITLES.get(status, "That did not work"), text if text.endswith(".") else f"{text}.")


def _cookie(request: Request) -> str:
    given = request.cookies.get(COOKIE, "")
    return given if given.isascii() and 16 <= len(given) <= 64 else ""


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of the form.

    Raises:
        BadInputError: 408, 413, 415 or 422; it does not arrive, is too long, of another kind, or no form.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadInputError("an answer is the form of the page", status_code=415)
    body = await read_body(request, max_bytes=MAX_FORM_BYTES)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=50))
    except ValueError:
        raise BadInputError("the form cannot be read", status_code=422) from None


def _described(*statuses: int) -> dict[int | str, dict[str, object]]:
    meaning = {303: "Recorded; the page shows it", **_TITLES}
    return {status: {"description": meaning[status], "content": {"text/html": {}}} for status in statuses}
