"""Looks at what its senders call well again, and ends what is; what still fails keeps its heal and its question.

It works off the ledger beside the dispatcher, so that a cluster that is slow or away holds up nothing else, and may be
killed at any moment: what was called well and has not ended is looked at again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.resolving import Read, end_by_itself, look_at, told_of
from tasks.clients.ledger import Ledger
from tasks.errors import PermanentError, TransientError
from tasks.verify.again import Seen

EVERY = timedelta(seconds=2)
LOOKED_AT_ONCE = 25
"""Incidents, each of which may name a namespace of its own."""
MOST = 1_000
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=15)
"""How long what still fails is left alone before it is looked at again; twice as long each time."""
AWAY_PAUSE = timedelta(seconds=30)

log = logging.getLogger("healflow.looks")


@dataclass
class _Watched:
    """What is known of an incident since it was called well."""

    next_at: datetime
    pause: timedelta = FIRST_PAUSE
    well_since: datetime | None = None
    said: str = ""


class Looks:
    """One pass over what was called well again is a tick."""

    def __init__(self, ledger: Ledger, read: Read, *, stable_seconds: float) -> None:
        """`stable_seconds` is how long something has to look well before that counts."""
        self._ledger, self._read, self._stable = ledger, read, timedelta(seconds=stable_seconds)
        self._watched: dict[str, _Watched] = {}
        self._next_at: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Look at what is due now; a cluster that is away only delays, and is told of."""
        if self._next_at is not None and now < self._next_at:
            return
        self._next_at = now + EVERY
        called_well = self._ledger.members.called_well(limit=MOST)
        self._watched = {one: self._watched.get(one) or _Watched(next_at=now) for one in called_well}
        due = [one for one, watched in self._watched.items() if watched.next_at <= now][:LOOKED_AT_ONCE]
        if due:
            self._look(due, now)

    def _look(self, due: Sequence[str], now: datetime) -> None:
        try:
            seen = look_at(self._ledger, due, self._read, now=now)
        except TransientError as error:
            self._next_at = now + AWAY_PAUSE
            self._wait(due, f"whether it is well again cannot be looked at now, and is later: {error}", now)
        except PermanentError as error:
            if len(due) > 1:  # what cannot be read of one keeps none of the others
                for one in due:
                    self._look([one], now)
                return
            self._wait(due, f"whether it is well again cannot be looked at: {error}", now)
            self._put_off(self._watched[due[0]], now)
        else:
            for one in due:
                self._judge(one, seen[one], now)

    def _judge(self, incident_id: str, seen: Seen, now: datetime) -> None:
        watched = self._watched[incident_id]
        if seen.failing:
            self._say(incident_id, f"called well again, but it still fails and goes on: {told_of(seen.failing)}", now)
            watched.well_since = None
            self._put_off(watched, now)
            return
        watched.well_since = watched.well_since or now
        if seen.well and now - watched.well_since < self._stable:
            watched.next_at = min(now + 2 * EVERY, watched.well_since + self._stable)
            return
        if end_by_itself(self._ledger, incident_id, seen, now=now):
            log.info("%s: it went away by itself", incident_id)

    def _wait(self, due: Sequence[str], why: str, now: datetime) -> None:
        log.warning("%s", why)
        for incident_id in due:
            self._watched[incident_id].well_since = None
            self._say(incident_id, why, now)

    def _say(self, incident_id: str, what: str, now: datetime) -> None:
        """Once, however often it is seen."""
        if self._watched[incident_id].said != what:
            self._ledger.incidents.note(incident_id, what, at=now)
            self._watched[incident_id].said = what

    @staticmethod
    def _put_off(watched: _Watched, now: datetime) -> None:
        watched.next_at = now + watched.pause
        watched.pause = min(2 * watched.pause, LONGEST_PAUSE)
