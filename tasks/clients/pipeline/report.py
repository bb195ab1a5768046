"""Reports a finished run exactly as GitHub would: a `workflow_run` event, signed, sent to the gateway.

The shape is that of https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run. The run's number is
its id here, so that the receiver finds it again; every address has the scheme `healflow-local:`, which marks the run as
one of this machine and holds no path of it.
"""

import hashlib
import hmac
import ipaddress
import json
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from tasks.clients.pipeline.runs import StoredRun
from tasks.clients.pipeline.values import Value
from tasks.domain.base import Noun
from tasks.errors import BadInputError, PermanentError, TransientError

if TYPE_CHECKING:
    import httpx

SCHEME = "healflow-local"
_DELIVERIES = uuid.UUID("6d5c9a3e-52a5-5f0e-9a0b-6f1f5f0f4c11")  # names the deliveries of runs of one machine
_TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_CHARACTERS = 500


class DeliveryReceipt(Noun):
    """What the gateway answered to one event."""

    delivery_id: str
    status_code: int
    answer: str


def sign(body: bytes, secret: str) -> str:
    """The value of `X-Hub-Signature-256` for a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def delivery_id(stored: StoredRun) -> str:
    """The `X-GitHub-Delivery` of a run's event: the same run and attempt give the same, so sending twice is one
    delivery."""
    outcome = stored.outcome
    return str(uuid.uuid5(_DELIVERIES, f"{outcome.repository}\n{outcome.run_id}\n{outcome.attempt}"))


def workflow_run_event(stored: StoredRun, *, now: datetime) -> bytes:
    """The body of the event `workflow_run`, action `completed`; `now` is when it is sent."""
    event: dict[str, Value] = {
        "action": "completed",
        "workflow_run": _workflow_run(stored, now),
        "workflow": _workflow(stored),
        "repository": _repository(stored),
        "sender": _user(stored.actor),
    }
    return json.dumps(event, separators=(",", ":")).encode()


def _number(*parts: str) -> int:
    """A stable number for what has one on GitHub; below 2^53, so that every JSON reader keeps it."""
    return int.from_bytes(hashlib.blake2b("\n".join(parts).encode(), digest_size=6).digest(), "big") + 1


def _node_id(kind: str, number: int) -> str:
    return f"{kind}_local{number}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _url(stored: StoredRun, *parts: str) -> str:
    return "/".join([f"{SCHEME}://{quote(stored.outcome.repository)}", *(quote(part) for part in parts)])


def _workflow_run(stored: StoredRun, now: datetime) -> dict[str, Value]:
    outcome = stored.outcome
    number = int(outcome.run_id)
    suite = _number("suite", outcome.run_id)
    run_url = _url(stored, "actions", "runs", outcome.run_id)
    workflow = _workflow(stored)
    ended = outcome.started_at + timedelta(seconds=outcome.seconds)
    return {
        "id": number,
        "name": outcome.workflow,
        "node_id": _node_id("WFR", number),
        "head_branch": outcome.branch,
        "head_sha": outcome.commit,
        "path": outcome.workflow_path,
        "display_title": (stored.head_commit.message.split("\n", 1)[0] if stored.head_commit else outcome.workflow),
        "run_number": stored.run_number,
        "run_attempt": outcome.attempt,
        "event": stored.event,
        "status": "completed",
        "conclusion": outcome.conclusion.value,
        "workflow_id": workflow["id"],
        "check_suite_id": suite,
        "check_suite_node_id": _node_id("CS", suite),
        "url": run_url,
        "html_url": run_url,
        "pull_requests": [],
        "created_at": _time(outcome.started_at),
        "updated_at": _time(min(now, ended) if now > outcome.started_at else ended),
        "run_started_at": _time(outcome.started_at),
        "actor": _user(stored.actor),
        "triggering_actor": _user(stored.actor),
        "referenced_workflows": [],
        "jobs_url": f"{run_url}/jobs",
        "logs_url": f"{run_url}/logs",
        "check_suite_url": _url(stored, "check-suites", str(suite)),
        "artifacts_url": f"{run_url}/artifacts",
        "cancel_url": f"{run_url}/cancel",
        "rerun_url": f"{run_url}/rerun",
        "previous_attempt_url": f"{run_url}/attempts/{outcome.attempt - 1}" if outcome.attempt > 1 else None,
        "workflow_url": workflow["url"],
        "head_commit": _head_commit(stored),
        "repository": _repository(stored),
        "head_repository": _repository(stored),
    }


def _head_commit(stored: StoredRun) -> dict[str, Value]:
    head, outcome = stored.head_commit, stored.outcome
    if head is None:
        nobody: Value = {"name": stored.actor, "email": ""}
        started = f"{outcome.started_at:%Y-%m-%dT%H:%M:%SZ}"
        return {
            "id": outcome.commit,
            "tree_id": "",
            "message": "",
            "timestamp": started,
            "author": nobody,
            "committer": nobody,
        }
    return {
        "id": head.id,
        "tree_id": head.tree_id,
        "message": head.message,
        "timestamp": head.timestamp,
        "author": {"name": head.author_name, "email": head.author_email},
        "committer": {"name": head.committer_name, "email": head.committer_email},
    }


def _workflow(stored: StoredRun) -> dict[str, Value]:
    outcome = stored.outcome
    number = _number("workflow", outcome.repository, outcome.workflow_path or outcome.workflow)
    since = _time(outcome.started_at)
    return {
        "id": number,
        "node_id": _node_id("W", number),
        "name": outcome.workflow,
        "path": outcome.workflow_path,
        "state": "active",
        "created_at": since,
        "updated_at": since,
        "url": _url(stored, "actions", "workflows", str(number)),
        "html_url": _url(stored, "blob", stored.default_branch, outcome.workflow_path),
        "badge_url": _url(stored, "workflows", outcome.workflow, "badge.svg"),
    }


def _user(login: str) -> dict[str, Value]:
    number = _number("user", login)
    return {
        "login": login,
        "id": number,
        "node_id": _node_id("U", number),
        "type": "User",
        "site_admin": False,
        "url": f"{SCHEME}://users/{quote(login, safe='')}",
        "html_url": f"{SCHEME}://users/{quote(login, safe='')}",
    }


def _repository(stored: StoredRun) -> dict[str, Value]:
    full_name = stored.outcome.repository
    owner, _, name = full_name.partition("/")
    number = _number("repository", full_name)
    return {
        "id": number,
        "node_id": _node_id("R", number),
        "name": name,
        "full_name": full_name,
        "private": True,
        "fork": False,
        "owner": _user(owner),
        "description": None,
        "default_branch": stored.default_branch,
        "url": _url(stored),
        "html_url": _url(stored),
    }


def report_run(
    stored: StoredRun,
    *,
    gateway_url: str,
    secret: str,
    now: datetime,
    transport: "httpx.BaseTransport | None" = None,
    loopback_only: bool = True,
) -> DeliveryReceipt:
    """Send a run's event to the webhook address `gateway_url`; the environment's proxies are not used.

    Raises:
        BadInputError: the address is no `http` or `https` one, or not of this machine while `loopback_only`.
        TransientError: the gateway cannot be reached, or has a fault of its own.
        PermanentError: the gateway refused the event; the message holds its words.
    """
    import httpx

    check_gateway_url(gateway_url, loopback_only=loopback_only)
    body = workflow_run_event(stored, now=now)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Healflow-Hookshot/1",
        "X-GitHub-Event": "workflow_run",
        "X-GitHub-Delivery": delivery_id(stored),
        "X-Hub-Signature-256": sign(body, secret),
    }
    run_id = stored.outcome.run_id
    try:
        with httpx.Client(transport=transport, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            response = client.post(gateway_url, content=body, headers=headers)
    except httpx.HTTPError as error:
        raise TransientError(
            f"The gateway at {gateway_url} cannot be reached ({str(error) or type(error).__name__}); "
            f"run {run_id} is kept. Start it with `healflow up`, and run `healflow ci` again."
        ) from error
    answer = response.text[:_MAX_ANSWER_CHARACTERS]
    if response.status_code >= 500 or response.status_code == 429:
        raise TransientError(
            f"The gateway at {gateway_url} answered {response.status_code} to run {run_id}: {answer}. "
            "The run is kept; run `healflow ci` again.",
            retry_after_seconds=_retry_after_seconds(response.headers.get("Retry-After")),
        )
    if not response.is_success:
        raise PermanentError(f"The gateway at {gateway_url} refused run {run_id} with {response.status_code}: {answer}")
    return DeliveryReceipt(delivery_id=headers["X-GitHub-Delivery"], status_code=response.status_code, answer=answer)


def _retry_after_seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def check_gateway_url(url: str, *, loopback_only: bool) -> None:
    """Refuse an address that an event must not be sent to.

    Raises:
        BadInputError: see `report_run`.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise BadInputError(f"The gateway's address {url[:200]!r} is malformed.") from error
    if parts.scheme not in ("http", "https") or not host:
        raise BadInputError(f"The gateway's address {url[:200]!r} has to begin with http:// or https:// and a host.")
    if not loopback_only or host == "localhost":
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise BadInputError(
            f"The gateway's address {url[:200]!r} is not on this machine; events of local runs stay here."
        )
