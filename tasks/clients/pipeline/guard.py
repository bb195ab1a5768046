"""Holds one step's processes: run as a program between Healflow and a step, so that nothing of the step outlives its
time.

`guard.py LIFELINE STATUS COMMAND…` starts the command in a session of its own and writes its process number and then
its exit code, a line each, to the descriptor STATUS. When the descriptor LIFELINE closes (the job is over, its time is
up, or Healflow died, even by SIGKILL) everything that the command started is ended: first SIGTERM, two seconds later
SIGKILL. On Linux the guard adopts orphans, so a daemon that left the session is found too, and when the guard itself is
killed, the command goes with it.

It runs with `python -I -S` and imports only what starts quickly.
"""

import contextlib
import os
import select
import signal
import sys
import time

_POLITE_SECONDS = (
    2.0  # GitHub's runner waits 7.5 s after SIGINT and 2.5 s after SIGTERM; here nobody shuts down a fleet
)
_FORCED_SECONDS = 10.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Run the command and wait for the lifeline to close."""
    lifeline, status, command = int(arguments[0]), int(arguments[1]), arguments[2:]
    for descriptor in (lifeline, status):
        os.set_inheritable(descriptor, False)
    adopts = _set(_PR_SET_CHILD_SUBREAPER, 1)
    wake = _wake_on_signals()
    guard, child = os.getpid(), os.fork()
    if child == 0:
        _set(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it was killed before
            os._exit(128 + signal.SIGKILL)
        _become(command)
    os.write(status, b"%d\n" % child)
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
    _watch(child, lifeline, status, wake, adopts)


def _watch(child: int, lifeline: int, status: int, wake: int, adopts: bool) -> None:
    told = False
    ready = select.poll()  # select() refuses descriptors from 1,024 on, which a large process has
    for descriptor in (lifeline, wake):
        ready.register(descriptor, select.POLLIN)
    while True:
        readable = [descriptor for descriptor, _ in ready.poll()]
        stop = lifeline in readable
        if wake in readable:
            received = os.read(wake, 4096)
            stop = stop or any(number != signal.SIGCHLD for number in received)
        ended, remaining = _reap()
        if child in ended and not told:
            told = True
            with contextlib.suppress(OSError):  # nobody listens any more
                os.write(status, b"%d\n" % ended[child])
        if adopts and not remaining:
            return
        if stop:
            _end_all(child)
            return


def _set(option: int, value: int) -> bool:
    """Set an option of this process; false where there is no such thing."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False


_WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _wake_on_signals() -> int:
    """A descriptor that becomes readable with each signal's number."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _WATCHED:
        signal.signal(number, lambda *_: None)
    return reader


def _become(command: list[str]) -> None:
    """Turn this process into the command; never returns."""
    for number in (*_WATCHED, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.setsid()
        os.execvp(command[0], command)  # noqa: S606  an argument list, no shell
    except OSError as error:
        absent = isinstance(error, FileNotFoundError)
        os.write(2, f"{command[0]}: {'command not found' if absent else error.strerror}\n".encode(errors="replace"))
        os._exit(127 if absent else 126)
    except ValueError as error:
        os.write(2, f"{command[0]}: {error}\n".encode(errors="replace"))
        os._exit(126)


def _reap() -> tuple[dict[int, int], bool]:
    """The exit codes of the children that ended, and whether any child is left."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, state = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if pid == 0:
            return ended, True
        code = os.waitstatus_to_exitcode(state)
        ended[pid] = 128 - code if code < 0 else code  # a shell's way to tell a signal: 137 is SIGKILL


def _end_all(child: int) -> None:
    for number, seconds in ((signal.SIGTERM, _POLITE_SECONDS), (signal.SIGKILL, _FORCED_SECONDS)):
        deadline = time.monotonic() + seconds
        told: set[int] = set()
        while time.monotonic() < deadline:
            alive = _signal_group(child, number, told)
            for pid in _descendants():
                alive = True
                if pid not in told or number == signal.SIGKILL:
                    told.add(pid)
                    with contextlib.suppress(OSError):
                        os.kill(pid, number)
            _reap()
            if not alive:
                return
            time.sleep(0.01)


def _signal_group(group: int, number: int, told: set[int]) -> bool:
    try:
        os.killpg(group, 0 if -group in told and number != signal.SIGKILL else number)
    except OSError:
        return False
    told.add(-group)
    return True


def _descendants() -> list[int]:
    """The processes below this one, from Linux's /proc; empty where there is none."""
    parents: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208  pathlib takes longer to import than all else here
            if name.isdigit():
                with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123
                    parents[int(name)] = int(stat.read().rpartition(b")")[2].split()[1])
    below = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in below} - below
        below |= more
        grown = bool(more)
    return sorted(below - {os.getpid()})


if __name__ == "__main__":
    main(sys.argv[1:])
