"""Holds the collector of cycles off while the state of a cluster is read.

It is millions of values without a cycle, and the collector looks through all of them again each time that they have
grown by a quarter: of 5,000 pods that took two thirds of the time. https://docs.python.org/3/library/gc.html
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_reading = 0
_was_on = False


@contextmanager
def in_bulk() -> Iterator[None]:
    """For as long as anybody reads; several may at the same time. What was off before stays off."""
    global _reading, _was_on  # noqa: PLW0603  the collector is the process's, too
    with _lock:
        _was_on = gc.isenabled() if not _reading else _was_on
        _reading += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _reading -= 1
            if _was_on and not _reading:
                gc.enable()
