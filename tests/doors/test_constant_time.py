"""Nothing but a comparison in constant time decides whether a secret, a signature or a seal is the right one."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from deployments.demo.slack.payloads import signed
from deployments.demo.slack.workspace import BOT_TOKEN
from deployments.gateway import make_app
from deployments.mcp.serve import _OneToken
from tasks.approve import form_seal
from tasks.clients.pipeline import sign
from tasks.domain.approval import Answer
from tasks.settings import SlackSettings
from tests.doors.paging import KEY, Paged
from tests.doors.test_gateway import event
from tests.unit.intake import alerts

RIGHT, WRONG = "the-secret-in-force", "a-secret-of-others!"
BROWSER = "what-the-cookie-holds"


class Doors(Paged):
    """Every door, with one secret for all of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        slack = SlackSettings.model_validate({"bot_token": BOT_TOKEN, "signing_secret": RIGHT})
        app = make_app(
            self.settings.model_copy(update={"slack": slack}),
            self.ledger,
            RIGHT,
            event_tokens=[RIGHT],
            event_secrets=[RIGHT],
            link_key=KEY,
        )
        self.client = TestClient(app, base_url="http://gateway")

    def believes(self, path: str, body: bytes, **headers: str) -> bool:
        """Whether a door takes what it is sent for authentic, whatever it makes of it."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return (
            self.client.post(path, content=body, headers={"Content-Type": "application/json"} | told).status_code != 401
        )


def github(doors: Doors, secret: str) -> bool:
    body = event()
    return doors.believes(
        "/webhooks/github",
        body,
        X_GitHub_Event="workflow_run",
        X_GitHub_Delivery="d",
        X_Hub_Signature_256=sign(body, secret),
    )


def alertmanager(doors: Doors, secret: str) -> bool:
    return doors.believes("/webhooks/alertmanager", alerts.notification(), Authorization=f"Bearer {secret}")


def prefect(doors: Doors, secret: str) -> bool:
    return doors.believes("/webhooks/prefect", b"{}", Authorization=f"Bearer {secret}")


def events(doors: Doors, secret: str) -> bool:
    at = str(int(time.time()))
    made = hmac.new(secret.encode(), f"v1:{at}:{{}}".encode(), hashlib.sha256).hexdigest()
    return doors.believes("/webhooks/events", b"{}", X_Healflow_Timestamp=at, X_Healflow_Signature=f"v1={made}")


def slack_press(doors: Doors, secret: str) -> bool:
    body, headers = signed({"payload": "{}"}, at=time.time(), secret=secret)
    return doors.believes("/slack/interactions", body, **headers)


def slack_command(doors: Doors, secret: str) -> bool:
    body, headers = signed({"text": "incidents"}, at=time.time(), secret=secret)
    return doors.believes("/slack/commands", body, **headers)


def link(doors: Doors, secret: str) -> bool:
    page = doors.client.get(f"/approve/{doors.token(key=KEY if secret == RIGHT else b'another')}")
    return 'value="approve"' in page.text


def form(doors: Doors, secret: str) -> bool:
    token = doors.token()
    told = {"seal": form_seal(token, BROWSER, KEY if secret == RIGHT else b"another"), "answer": "approve"}
    cookie = {"Cookie": f"healflow_form={BROWSER}"}
    sent = doors.client.post(f"/approve/{token}", data=told, headers=cookie, follow_redirects=False)
    return sent.status_code == 303


def question(doors: Doors, secret: str) -> bool:
    return doors.say(Answer.APPROVE, nonce=doors.request.nonce if secret == RIGHT else secret).settles


def agent(_doors: Doors, secret: str) -> bool:
    return asyncio.run(_OneToken(RIGHT).verify_token(secret)) is not None


class Comparisons:
    """Counts what is compared; of a number says no, or to everything yes, whatever it is given."""

    def __init__(self) -> None:
        self.made = self.refused = 0
        self.blind = False
        self._compare: Callable[[bytes, bytes], bool] = hmac.compare_digest

    def __call__(self, given: bytes, right: bytes) -> bool:
        self.made += 1
        return self.blind or (self._compare(given, right) and self.made != self.refused)


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> Comparisons:
    counting = Comparisons()
    monkeypatch.setattr(hmac, "compare_digest", counting)
    return counting


Knock = Callable[[Doors, str], bool]
KNOCKS: tuple[Knock, ...] = (
    github,
    alertmanager,
    prefect,
    events,
    slack_press,
    slack_command,
    link,
    form,
    question,
    agent,
)


@pytest.mark.parametrize("knock", KNOCKS)
def test_right_secret_counts_for_nothing_once_any_comparison_of_it_says_no(
    tmp_path: Path, comparisons: Comparisons, knock: Knock
) -> None:
    doors = Doors(tmp_path)
    for number in range(1, 10):
        comparisons.made, comparisons.refused = 0, number
        if knock(doors, RIGHT):
            break
    assert comparisons.made == number - 1, "believed although a comparison said no"
    assert comparisons.made > 0, "believed without a comparison"


@pytest.mark.parametrize("knock", KNOCKS)
def test_wrong_secret_is_refused_by_that_comparison_and_by_nothing_else(
    tmp_path: Path, comparisons: Comparisons, knock: Knock
) -> None:
    doors = Doors(tmp_path)
    assert not knock(doors, WRONG)
    comparisons.blind = True
    assert knock(doors, WRONG), "something beside the comparison in constant time looks at it"
