"""The approval page over a real ledger, and links to it."""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from deployments.gateway import make_app
from tasks.approve import sign_link
from tasks.clients.ledger import Ledger
from tasks.domain.approval import ApprovalLink
from tests.unit.approve.telling import Told

KEY = b"a key for tests, long enough"


class Paged(Told):
    """One question that waits, and a browser without a memory of its own."""

    def __init__(self, folder: Path, *, asked_ago: timedelta = timedelta(0), **terms: Any) -> None:
        super().__init__(folder, at=datetime.now(UTC) - asked_ago, **terms)
        self.cookies: dict[str, str] = {}

    @property
    def app(self) -> FastAPI:
        return make_app(self.settings, self.ledger, "secret", link_key=KEY)

    def token(self, person: str = "grace", *, made_by: str = "ada", key: bytes = KEY, **changes: str) -> str:
        link = ApprovalLink(request_id=self.request.id, nonce=self.request.nonce, person=person, made_by=made_by)
        return sign_link(link.model_copy(update=changes), key)

    def get(self, token: str, method: str = "GET") -> httpx.Response:
        return asyncio.run(self._send(method, token))

    def post(self, token: str, form: Mapping[str, str], **headers: str) -> httpx.Response:
        return asyncio.run(self._send("POST", token, form, headers))

    def fill(self, token: str, **form: str) -> httpx.Response:
        """Open the page as a browser does, and send its form."""
        return self.post(token, {"seal": seal_of(self.get(token).text), **form})

    async def _send(
        self, method: str, token: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", cookies=self.cookies) as client:
            answer = await client.request(method, f"/approve/{token}", data=form, headers=headers)
            self.cookies.update(answer.cookies)
        return answer

    def trail_of_refusals(self) -> list[tuple[str, str]]:
        entries = [entry for entry in self.ledger.audit.entries() if entry.kind == "answer.refused"]
        return [(entry.actor, str(json.loads(entry.document)["refusal"])) for entry in entries]


def seal_of(page: str) -> str:
    found = re.search(r'name="seal" value="([^"]+)"', page)
    return unescape(found[1]) if found else ""


def written(ledger: Ledger) -> int:
    """How much stands in the ledger's trails: looking must not add to it."""
    return len(ledger.audit.entries())
