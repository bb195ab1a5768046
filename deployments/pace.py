"""A bounded rate: how much may be done now, so that a flood is worked off and does not flood what comes after."""

from datetime import datetime


class Pace:
    """At most `rate` a second on average, and what a second brings at once. It keeps no clock: `now` is passed in, and
    may go back when somebody sets the clock."""

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, max(1.0, rate)
        self._left = self._most
        self._at: datetime | None = None

    def allowed(self, now: datetime) -> int:
        """How many may be done now."""
        if self._at is not None and now > self._at:
            self._left = min(self._most, self._left + (now - self._at).total_seconds() * self._rate)
        self._at = now
        return int(self._left)

    def spend(self, count: int = 1) -> None:
        """Note that so many were done."""
        self._left -= count
