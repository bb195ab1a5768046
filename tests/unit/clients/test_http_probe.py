"""The smoke test: what is no answer first."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tasks.clients.http_probe import wait_for_answer
from tasks.errors import BadInputError


class _Door(BaseHTTPRequestHandler):
    statuses: tuple[int, ...] = ()
    asked = 0

    def do_GET(self) -> None:
        kind = type(self)
        status = kind.statuses[min(kind.asked, len(kind.statuses) - 1)]
        kind.asked += 1
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def door() -> Iterator[tuple[type[_Door], str]]:
    handler = type("Door", (_Door,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}/_healthz"
        server.shutdown()
        thread.join()


def probe(url: str) -> tuple[str, float]:
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait_for_answer(url, timeout_seconds=2, clock=lambda: now[0], wait=wait), now[0]


def test_what_is_no_web_address_is_refused() -> None:
    with pytest.raises(BadInputError, match="http or https"):
        probe("file:///etc/passwd")


@pytest.mark.parametrize("status", [500, 404, 302])
def test_error_or_redirect_is_no_answer(door: tuple[type[_Door], str], status: int) -> None:
    door[0].statuses = (status,)
    said, seconds = probe(door[1])
    assert f"HTTP {status}" in said
    assert seconds == 2.0


def test_nobody_there_is_said() -> None:
    assert "does not answer" in probe("http://127.0.0.1:1/")[0]


def test_door_that_opens_in_time_has_answered(door: tuple[type[_Door], str]) -> None:
    door[0].statuses = (503, 200)
    assert probe(door[1]) == ("", 1.0)
