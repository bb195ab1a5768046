"""One writer after another, in the order in which they came.

SQLite lets one transaction write at a time, and whoever meets another one there sleeps in growing steps of up to 100 ms
before it looks again: https://www.sqlite.org/c3ref/busy_timeout.html. The writers of one process need not: each waits
here and goes on the moment that the one before it has committed.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.errors import TransientError


class Turns:
    """A lock that nobody overtakes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def __len__(self) -> int:
        """How many hold it or wait for it."""
        return len(self._line)

    @contextmanager
    def take(self, *, timeout_seconds: float) -> Iterator[None]:
        """Hold it for the block.

        Raises:
            TransientError: those before did not end in time.
        """
        mine = object()
        with self._changed:
            self._line.append(mine)
            if not self._changed.wait_for(lambda: self._line[0] is mine, timeout_seconds):
                self._leave(mine)
                raise TransientError(
                    f"the ledger could not be written: {len(self)} of this process were writing for "
                    f"{timeout_seconds:g} s; it is tried again"
                )
        try:
            yield
        finally:
            with self._changed:
                self._leave(mine)

    def _leave(self, mine: object) -> None:
        self._line.remove(mine)
        self._changed.notify_all()
