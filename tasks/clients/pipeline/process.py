"""Runs one command for a step: output as it comes, an end at the deadline, and a guard that leaves no process
behind."""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")
_CHUNK_BYTES = 65_536
_GUARD_SECONDS = 15.0
_OVER_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 3600.0  # epoll refuses more than 24 days
# A background process may hold the output open after its step ended: what the step itself wrote arrives in this time.
_QUIET_SECONDS = 0.3
_DRAIN_SECONDS = 3.0


@dataclass(frozen=True)
class ProcessEnd:
    """How a command ended; `exit_code` is 128 + the signal's number when a signal ended it, `None` when its time was
    up."""

    exit_code: int | None
    timed_out: bool = False


@dataclass
class StepProcesses:
    """The commands of one job. Background processes live on between its steps, as on GitHub, and end with `end`."""

    _guarded: "list[_Guarded]" = field(default_factory=list)

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_output: Callable[[bytes], None],
        timeout_seconds: float,
        stdin: int = subprocess.DEVNULL,
    ) -> ProcessEnd:
        """Run a command to its end and hand its output on; an interruption ends all that it started.

        Raises:
            OSError: `cwd` cannot be entered.
        """
        guarded = _Guarded(argv, cwd=cwd, env=env, stdin=stdin)
        self._guarded.append(guarded)
        try:
            end = guarded.follow(on_output, time.monotonic() + timeout_seconds)
        except BaseException:
            guarded.end()
            raise
        if end.timed_out:
            guarded.end(on_output)
        elif guarded.is_over():
            guarded.end()
        else:
            guarded.let_go()
        return end

    def end(self) -> None:
        """End what still runs in the background."""
        for guarded in self._guarded:
            guarded.end()
        self._guarded.clear()


class _Guarded:
    """One command under its guard (see guard.py)."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: int) -> None:
        lifeline_read, self._lifeline = os.pipe()
        self._status, status_write = os.pipe()
        command = [sys.executable, "-I", "-S", str(_GUARD), str(lifeline_read), str(status_write), *argv]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(lifeline_read, status_write),
                start_new_session=True,
                bufsize=0,
            )
        except BaseException:
            os.close(self._lifeline)
            os.close(self._status)
            raise
        finally:
            os.close(lifeline_read)
            os.close(status_write)
        if self._process.stdout is None:
            raise AssertionError("a piped process has an output")
        self._output = self._process.stdout
        self._said = b""
        self._drain: threading.Thread | None = None
        self._ended = False

    def follow(self, on_output: Callable[[bytes], None], deadline: float) -> ProcessEnd:
        """Hand on the output until the command has ended and its output is read, or the deadline is reached."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._status, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    return ProcessEnd(None, timed_out=True)
                ready = {key.fileobj for key, _ in selector.select(min(left, _LONGEST_WAIT_SECONDS))}
                if self._output in ready and not self._pass_on(on_output):
                    selector.unregister(self._output)
                if self._status in ready and not self._listen():
                    break
        self._finish_output(on_output)
        return ProcessEnd(self._exit_code())

    def _pass_on(self, on_output: Callable[[bytes], None]) -> bool:
        chunk = os.read(self._output.fileno(), _CHUNK_BYTES)
        if chunk:
            on_output(chunk)
        return bool(chunk)

    def _listen(self) -> bool:
        """Take in what the guard says; false once the command has ended."""
        said = os.read(self._status, 64)
        self._said += said
        return bool(said) and self._said.count(b"\n") < 2

    def _exit_code(self) -> int:
        lines = self._said.split()
        return int(lines[1]) if len(lines) > 1 else 137  # the guard itself was killed, as when memory runs out

    def _finish_output(self, on_output: Callable[[bytes], None]) -> None:
        deadline = time.monotonic() + _DRAIN_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while time.monotonic() < deadline and selector.select(_QUIET_SECONDS):
                if not self._pass_on(on_output):
                    return

    def is_over(self) -> bool:
        """Whether nothing runs in the background; where the guard cannot tell (outside Linux), it stays until the job
        ends."""
        try:
            self._process.wait(_OVER_SECONDS if sys.platform == "linux" else 0)
        except subprocess.TimeoutExpired:
            return False
        return True

    def let_go(self) -> None:
        """Leave background processes running; their output is read and dropped so that they do not block."""
        self._drain = threading.Thread(target=self._drop_output, daemon=True)
        self._drain.start()

    def _drop_output(self) -> None:
        while os.read(self._output.fileno(), _CHUNK_BYTES):
            pass

    def end(self, on_output: Callable[[bytes], None] | None = None) -> None:
        """End every process of the command and wait until they are gone."""
        if self._ended:
            return
        self._ended = True
        os.close(self._lifeline)
        try:
            self._process.wait(_GUARD_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            if self._drain is not None:
                self._drain.join(_GUARD_SECONDS)
            elif on_output is not None:
                self._finish_output(on_output)
            self._output.close()
            os.close(self._status)
