"""Comments as GitHub's signed events tell of them, a question that they are about, and what is made of them."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from deployments.comments import Comments
from deployments.gateway import make_app
from tasks.clients.ledger import EventStatus
from tasks.clients.pipeline import sign
from tasks.domain.incident import SignalSource
from tests.fakes.github import REPOSITORY, FakeGithub, serving
from tests.unit.approve.telling import Told
from tests.unit.clients.github.conftest import client_of

SECRET = "s3cret-for-tests"
GRACE, ADA, STRANGER, MAINTAINER = "grace-h", "ada-l", "mallory", "alan-t"


def remark(body: str, *, login: str = GRACE, at: datetime, number: int = 77, **changes: Any) -> dict[str, Any]:
    """An `issue_comment` of a person on pull request 12; `changes` are of the comment."""
    comment = {
        "id": number,
        "body": body,
        "user": {"login": login, "type": "User"},
        "author_association": "COLLABORATOR",
        "created_at": at.isoformat(timespec="seconds"),
        "performed_via_github_app": None,
    }
    return {
        "action": "created",
        "issue": {"number": 12, "pull_request": {"url": "https://api.github.example"}},
        "comment": comment | changes,
        "repository": {"id": 7, "full_name": REPOSITORY},
        "sender": {"login": login, "type": "User"},
    }


def deliver(app: FastAPI, payload: Mapping[str, Any], *, event: str, secret: str, delivery: str) -> int:
    """GitHub delivers an event to the gateway; the status of its answer."""
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": sign(body, secret),
    }

    async def post() -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return (await client.post("/webhooks/github", content=body, headers=headers)).status_code

    return asyncio.run(post())


class Remarked(Told):
    """A question about a run on GitHub, the gateway before it, and a GitHub that answers."""

    of = {"source": SignalSource.GITHUB, "repository": REPOSITORY}  # noqa: RUF012 -- as the class above declares it

    def __init__(self, folder: Path, fake: FakeGithub, *, asked_ago: float = 60, **terms: Any) -> None:
        super().__init__(folder, at=datetime.now(UTC) - timedelta(seconds=asked_ago), **terms)
        self.fake, self._deliveries = fake, 0
        fake.people |= {GRACE: "write", ADA: "write", MAINTAINER: "admin", STRANGER: "read"}
        self.github = client_of(fake)
        self.comments = Comments(self.ledger, self.settings, self.github)

    def say_on_github(self, body: str, *, judged: bool = True, **changes: Any) -> None:
        """Somebody comments, and the event of it is delivered and judged."""
        self.deliver(remark(body, **({"at": datetime.now(UTC)} | changes)))
        if judged:
            self.tick()

    def deliver(
        self, payload: Mapping[str, Any], *, event: str = "issue_comment", secret: str = SECRET, delivery: str = ""
    ) -> int:
        """GitHub delivers an event; the status of the gateway's answer."""
        self._deliveries += 1
        app = make_app(self.settings, self.ledger, SECRET)
        return deliver(app, payload, event=event, secret=secret, delivery=delivery or f"delivery-{self._deliveries}")

    def tick(self, *, after: float = 0) -> None:
        self.comments.tick(datetime.now(UTC) + timedelta(seconds=after))

    @property
    def replies(self) -> list[str]:
        """What was said below, without the marker."""
        return [one["body"].partition("\n")[2] for one in self.fake.comments.values()]

    def refusals(self) -> list[tuple[str, str]]:
        """Who was refused, and why, on GitHub."""
        entries = [entry for entry in self.ledger.audit.entries() if entry.kind == "answer.refused"]
        documents = [json.loads(entry.document) for entry in entries]
        assert all(told["channel"] == "github" for told in documents)
        return [(entry.actor, str(told["refusal"])) for entry, told in zip(entries, documents, strict=True)]

    def untouched(self) -> bool:
        """No answer, no yes of several, and nothing that waits to be judged."""
        stored = self.ledger.approvals.get(self.request.id)
        return (
            stored is not None
            and stored.answer is None
            and stored.votes == ()
            and self.ledger.events.pending(comments=True) == ()
        )

    def status_of(self, delivery_id: str) -> EventStatus:
        return self.ledger.events.get(delivery_id).status


@contextmanager
def remarked(folder: Path, **terms: Any) -> Iterator[Remarked]:
    with serving() as fake:
        scene = Remarked(folder, fake, **terms)
        with scene.github:
            yield scene
