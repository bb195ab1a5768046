"""Deletes what events of long ago said, in small steps beside the dispatcher; what was made of them stays."""

import logging
from datetime import datetime, timedelta

from tasks.clients.ledger import Ledger
from tasks.errors import TransientError

AT_ONCE = 50
"""Bodies in one transaction, which may be megabytes each: the doors wait for it."""
STEP, PAUSE = timedelta(seconds=1), timedelta(minutes=10)
"""Between two steps, and after the last one."""

log = logging.getLogger("healflow.clearing")


class Clearing:
    """One step is a tick."""

    def __init__(self, ledger: Ledger, *, keep: timedelta) -> None:
        self._ledger, self._keep = ledger, keep
        self._cleared_to: datetime | None = None
        self._next_at: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Clear the oldest that are due; a ledger that is away only delays."""
        if self._next_at is not None and now < self._next_at:
            return
        self._next_at = now + PAUSE
        try:
            last = self._ledger.bodies.empty(before=now - self._keep, after=self._cleared_to, limit=AT_ONCE)
        except TransientError as error:
            log.info("The bodies of old events stay for now: %s", error)
            return
        if last is not None:
            self._cleared_to, self._next_at = last, now + STEP
