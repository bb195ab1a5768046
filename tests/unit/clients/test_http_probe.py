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


def probe(url: str, *, in_a_row: int = 1) -> tuple[str, float]:
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    said = wait_for_answer(url, timeout_seconds=2, answers_in_a_row=in_a_row, clock=lambda: now[0], wait=wait)
    return said, now[0]


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


@pytest.mark.parametrize("statuses", [(200, 500), (200, 200, 500), (500, 200, 500)])
def test_answers_of_what_is_going_away_are_not_enough(door: tuple[type[_Door], str], statuses: tuple[int, ...]) -> None:
    door[0].statuses = statuses
    assert "HTTP 500" in probe(door[1], in_a_row=3)[0]


def test_answers_in_a_row_are_counted_anew_after_each_failure(door: tuple[type[_Door], str]) -> None:
    door[0].statuses = (200, 503, 200, 200, 200)
    assert probe(door[1], in_a_row=3) == ("", 4.0)
