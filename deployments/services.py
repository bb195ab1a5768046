"""One served process under a guard: it and everything below it ends when this process does, however it ends."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.clients.pipeline import guard

LOG_TAIL_LINES = 15
STOP_SECONDS = 15.0


class Service:
    """A child process with its log. The guard ends it when our end of the lifeline closes."""

    def __init__(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> None:
        self.name, self.log = name, log
        self._argv, self._env, self._cwd = list(argv), dict(env), cwd
        self._guard: subprocess.Popen[bytes] | None = None
        self._lifeline = self._status = -1
        self._ends: list[float] = []

    def start(self) -> None:
        """Start the process; its output is appended to its log."""
        lifeline_read, self._lifeline = os.pipe()
        self._close_status()
        self._status, status_write = os.pipe()  # nobody reads it, but the guard ends when it cannot write
        with self.log.open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, str(lifeline_read), str(status_write), *self._argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                cwd=self._cwd,
                pass_fds=(lifeline_read, status_write),
                start_new_session=True,  # Ctrl-C reaches only this process, which then stops the others in order
            )
        os.close(lifeline_read)
        os.close(status_write)

    @property
    def alive(self) -> bool:
        """Whether it or anything below it still runs."""
        return self._guard is not None and self._guard.poll() is None

    def note_end(self, *, within_seconds: float) -> int:
        """Note that it ended by itself; how often it did lately."""
        now = time.monotonic()
        self._ends = [*(at for at in self._ends if now - at < within_seconds), now]
        return len(self._ends)

    def ask_to_stop(self) -> None:
        """Close the lifeline: everything below gets SIGTERM, and SIGKILL two seconds later."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def wait(self) -> None:
        """Wait until nothing of it is left."""
        self.ask_to_stop()
        if self._guard is None:
            return
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._close_status()

    def _close_status(self) -> None:
        if self._status >= 0:
            os.close(self._status)
            self._status = -1

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:])


class Clock:
    """Seconds since it was made, for progress lines."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self._started
