"""What a guard holds does not outlive it, however the guard ends."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tasks.clients.pipeline import guard

SOON_SECONDS = 60.0


@contextmanager
def guarded(*command: str) -> Iterator[tuple["subprocess.Popen[bytes]", int, int]]:
    """The guard, the number of what it holds, and our end of the lifeline."""
    lifeline, ours = os.pipe()
    told, status = os.pipe()
    argv = [sys.executable, "-I", "-S", guard.__file__, str(lifeline), str(status), *command]
    with subprocess.Popen(argv, pass_fds=(lifeline, status), stdin=subprocess.DEVNULL) as process:
        for descriptor in (lifeline, status):
            os.close(descriptor)
        with os.fdopen(told, "rb") as lines:
            held = int(lines.readline())
            try:
                yield process, held, ours
            finally:
                with suppress(OSError):
                    os.close(ours)
                process.kill()
                with suppress(ProcessLookupError):
                    os.kill(held, signal.SIGKILL)


def ends(pid: int) -> bool:
    """Whether the process is gone, or a zombie that nobody has looked after, before the time is up."""
    began = time.monotonic()
    while time.monotonic() - began < SOON_SECONDS:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def many_descriptors() -> Iterator[int]:
    """A number from which on descriptors are free, higher than a process may usually have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2_100) if hard != 0 else soft, hard))
    yield 2_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_step_of_a_process_with_many_descriptors_is_run(many_descriptors: int) -> None:
    """As a gateway with many connections, or a test session, has them."""
    lifeline, ours = os.pipe()
    told, status = os.pipe()
    high = fcntl.fcntl(lifeline, fcntl.F_DUPFD, many_descriptors)
    argv = [sys.executable, "-I", "-S", guard.__file__, str(high), str(status), "sh", "-c", "exit 7"]
    try:
        with subprocess.Popen(argv, pass_fds=(high, status), stdin=subprocess.DEVNULL) as process:
            os.close(status)
            with os.fdopen(told, "rb") as lines:
                assert lines.read().split()[1:] == [b"7"]
            assert process.wait(SOON_SECONDS) == 0
    finally:
        for descriptor in (lifeline, high, ours):
            os.close(descriptor)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_what_a_killed_guard_held_is_killed_with_it() -> None:
    with guarded("sleep", "600") as (process, held, _):
        process.kill()
        assert ends(held)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_guard_holds_ends_when_the_lifeline_closes() -> None:
    with guarded("sleep", "600") as (process, held, ours):
        os.close(ours)
        assert process.wait(SOON_SECONDS) == 0
        assert ends(held)
