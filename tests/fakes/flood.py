"""A flood of signed events with known causes, and somebody who sends it over plain sockets at a set rate."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tasks.clients.pipeline import sign
from tests.fakes.intake_server import SECRET, TOKEN
from tests.unit.intake import alerts, payloads

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Request:
    """One event, ready to be sent; `name` is its delivery id where the sender gives one."""

    name: str
    wire: bytes


@dataclass
class Sent:
    """What became of a flood."""

    seconds: list[float] = field(default_factory=list)
    """How long each accepted event took, from the moment when it should have been sent."""
    acknowledged: list[str] = field(default_factory=list)
    """The delivery ids that were answered with 202."""
    refused: int = 0

    def percentile(self, share: float) -> float:
        """In seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def flood(count: int, *, causes: int) -> list[Request]:
    """`count` events of half as many failed runs of some commits and half as many alerts on some nodes."""
    now = datetime.now(UTC).isoformat()
    return [_run(number, causes // 2, now) if number % 2 else _alert(number, causes // 2) for number in range(count)]


def _run(number: int, commits: int, now: str) -> Request:
    commit = f"{number % (2 * commits):040x}"
    payload = payloads.workflow_run(id=1_000_000 + number, head_sha=commit, name=f"job {number}", updated_at=now)
    body = json.dumps(payload).encode()
    headers = {
        "X-GitHub-Event": "workflow_run",
        "X-GitHub-Delivery": f"d-{number}",
        "X-Hub-Signature-256": sign(body, SECRET),
    }
    return Request(f"d-{number}", _wire("/webhooks/github", headers, body))


def _alert(number: int, nodes: int) -> Request:
    labels = {"node": f"worker-{number % (2 * nodes)}", "pod": f"p{number}"}
    alert = alerts.alert(f"Slow{number}", labels=labels)
    body = alerts.notification(alert, groupLabels={}, groupKey="{}:{}")
    return Request("", _wire("/webhooks/alertmanager", {"Authorization": f"Bearer {TOKEN}"}, body))


def _wire(path: str, headers: dict[str, str], body: bytes) -> bytes:
    told = {"Host": "gateway", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def send(port: int, requests: Sequence[Request], *, rate: float, connections: int = 32) -> Sent:
    """Send them at `rate` a second, whether or not they are answered as fast; what breaks off is not acknowledged."""
    sent, begun = Sent(), time.perf_counter()

    async def sender(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in range(first, len(requests), connections):
                due = begun + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                writer.write(requests[number].wire)
                status, body = await _answer(reader)
                if status != 202:
                    sent.refused += 1
                    continue
                sent.seconds.append(time.perf_counter() - due)
                sent.acknowledged.append(json.loads(body)["accepted"])
        except (OSError, asyncio.IncompleteReadError, ValueError):
            return  # killed under our hands
        finally:
            writer.close()

    await asyncio.gather(*(sender(first) for first in range(connections)))
    return sent


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0])
    return int(head.split(" ", 2)[1]), await reader.readexactly(length)


@contextmanager
def gateway(folder: Path, port: int, *more: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The gateway and its dispatcher in a process of their own, ready to accept."""
    argv = [sys.executable, "-m", "tests.fakes.intake_server", str(folder), str(port), *more]
    process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **environment})
    try:
        _await_ready(port, process)
        yield process
    finally:
        process.kill()
        process.wait()


def _await_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the gateway did not become ready")


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_drained(port: int, seconds: float) -> bool:
    """Whether all that was accepted was handed on within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30).json()
        if not ready["pending_events"] and not ready["unstarted_incidents"]:
            return True
        time.sleep(0.2)
    return False
