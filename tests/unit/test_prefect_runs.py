"""A Prefect server that does not answer, in each way that a server knows: the dispatcher is told soon, and asks once."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.prefect_runs import PrefectRuns
from tasks.errors import TransientError

SHORT = 0.3
CALLS: tuple[Callable[[PrefectRuns], object], ...] = (
    lambda runs: runs.create("inc-1", idempotency_key="inc-1:1"),
    lambda runs: runs.state(str(uuid4())),
    lambda runs: runs.give_up(str(uuid4()), "it fell silent"),
    lambda runs: runs.resume(str(uuid4()), answer="approve", approver="ada", reason=""),
)


class Door:
    """Where a Prefect server would listen: it takes every call and gives each the same answer, or none."""

    def __init__(self, answer: bytes) -> None:
        self.calls: list[bytes] = []
        self._answer = answer
        self._kept: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/api"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                call, _ = self._listening.accept()
            except OSError:
                return
            self.calls.append(call.recv(65_536))
            if self._answer:
                call.sendall(self._answer)
                call.close()
            else:
                self._kept.append(call)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for call in self._kept:
            call.close()


@contextmanager
def listening(answer: bytes) -> Iterator[Door]:
    door = Door(answer)
    with temporary_settings({PREFECT_API_URL: door.url}):
        yield door
    door.close()


def told(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()


@pytest.mark.parametrize("call", CALLS, ids=["create", "state", "give up", "resume"])
@pytest.mark.parametrize(
    "answer",
    [b"", told("503 Service Unavailable"), told("429 Too Many Requests\r\nRetry-After: 3600"), b"garbage\r\n\r\n"],
    ids=["it hangs", "503", "429", "garbage"],
)
def test_server_that_does_not_answer_is_asked_once_and_waited_for_elsewhere(
    call: Callable[[PrefectRuns], object], answer: bytes
) -> None:
    with listening(answer) as door, pytest.raises(TransientError, match="the Prefect server does not answer"):
        call(PrefectRuns(timeout_seconds=SHORT))
    assert len(door.calls) == 1, "the next tick asks again, and nothing else waits for it"


def test_server_that_is_not_there_is_said_to_be_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}), pytest.raises(TransientError, match="does not answer"):
            PrefectRuns(timeout_seconds=SHORT).state(str(uuid4()))
