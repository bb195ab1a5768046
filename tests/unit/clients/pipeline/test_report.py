"""A failure is reported as GitHub would, signed, to this machine only, and sending twice is one delivery."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import httpx
import pytest

from tasks.clients.pipeline import report_run
from tasks.clients.pipeline.runs import StoredRun
from tasks.domain.incident import Signal, SignalSource
from tasks.errors import BadInputError, PermanentError, TransientError
from tasks.intake.github import parse_github
from tests.unit.clients.pipeline.conftest import Bench

NOW = datetime(2026, 5, 4, tzinfo=UTC)
HOOK = "http://127.0.0.1:4210/webhooks/github"


@pytest.fixture
def stored(bench: Bench) -> StoredRun:
    bench.steps("- run: exit 1")
    assert bench.last is not None
    return bench.store.read(bench.last.run_id)


def send(stored: StoredRun, answer: httpx.Response | Exception, url: str = HOOK) -> list[httpx.Request]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    report_run(stored, gateway_url=url, secret="s3cret", now=NOW, transport=httpx.MockTransport(handle))
    return seen


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/x", "http://example.com/x", "http://10.0.0.1/x", "//127.0.0.1", "http://[::1", "http://"]
)
def test_address_elsewhere_is_refused_and_nothing_is_sent(stored: StoredRun, url: str) -> None:
    with pytest.raises(BadInputError, match="gateway's address"):
        send(stored, httpx.Response(202), url)


def test_absent_gateway_is_transient_and_says_what_to_do(stored: StoredRun) -> None:
    with pytest.raises(TransientError, match="healflow up"):
        send(stored, httpx.ConnectError("refused"))


def test_busy_gateway_is_transient_with_its_wait(stored: StoredRun) -> None:
    with pytest.raises(TransientError) as caught:
        send(stored, httpx.Response(429, headers={"Retry-After": "7"}))
    assert caught.value.retry_after_seconds == 7


def test_refusal_is_permanent_with_the_gateways_words(stored: StoredRun) -> None:
    with pytest.raises(PermanentError, match="401: bad signature"):
        send(stored, httpx.Response(401, text="bad signature"))


def test_event_is_signed_and_the_same_run_is_one_delivery(stored: StoredRun) -> None:
    (first,), (second,) = send(stored, httpx.Response(202)), send(stored, httpx.Response(202))
    expected = "sha256=" + hmac.new(b"s3cret", first.content, hashlib.sha256).hexdigest()
    assert first.headers["X-Hub-Signature-256"] == expected
    assert first.headers["X-GitHub-Event"] == "workflow_run"
    assert first.headers["X-GitHub-Delivery"] == second.headers["X-GitHub-Delivery"]


def test_event_is_githubs_and_names_no_path_of_this_machine(stored: StoredRun) -> None:
    (request,) = send(stored, httpx.Response(202))
    body = json.loads(request.content)
    assert body["action"] == "completed"
    run = body["workflow_run"]
    assert (run["conclusion"], run["head_branch"], run["path"]) == ("failure", "main", ".github/workflows/ci.yml")
    assert str(run["id"]) == stored.outcome.run_id
    assert stored.repository_path not in request.content.decode()
    signal = parse_github("workflow_run", request.headers["X-GitHub-Delivery"], request.content, now=datetime.now(UTC))
    assert isinstance(signal, Signal)
    assert signal.run is not None
    assert signal.run.run_id == stored.outcome.run_id
    assert signal.source is SignalSource.PIPELINE
