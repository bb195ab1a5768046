"""Sweeps for failures whose webhook was lost: GitHub and Prefect tell of each once, and not again when nobody listened.

A source is read on from where the last sweep ended, and what no door has accepted is accepted here, as if it had come
through its door. What failed before the first sweep stays as it is.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tasks.clients.ledger import Ledger, StoredEvent
from tasks.domain.incident import signal_key
from tasks.errors import BadInputError, PermanentError, TransientError
from tasks.intake import read_delivery

OVERLAP = timedelta(minutes=15)
"""A source may show a failure some time after the moment that it gives it, and its clock may differ from ours."""
SOONER = timedelta(seconds=15)

log = logging.getLogger("healflow.sweep")


class Source(Protocol):
    """Where failures can be read, besides being told."""

    @property
    def name(self) -> str:
        """Of its bookmark."""
        ...

    def failures(self, since: datetime, *, now: datetime) -> Sequence[StoredEvent]:
        """What failed since then and still counts as failed, as it would have come through its door.

        Raises:
            TransientError: it does not answer.
            PermanentError: it does not let us read.
        """
        ...


class Sweep:
    """Reads each source on. One that does not answer is read from the same place when it does."""

    def __init__(
        self, ledger: Ledger, sources: Callable[[], Sequence[Source]], *, every: timedelta, most_back: timedelta
    ) -> None:
        """`sources` tells which there are, and is asked before so much time has gone by that the overlap no longer
        covers a new one; `most_back` bounds how old a failure may be that is still healed."""
        self._ledger, self._sources, self._every, self._most_back = ledger, sources, every, most_back
        self._listed: Sequence[Source] = ()
        self._listed_at: datetime | None = None
        self._read_at: dict[str, datetime] = {}
        self._problems: dict[str, str] = {}

    def tick(self, now: datetime) -> None:
        """One look at each whose time has come; sooner at one that did not answer."""
        if self._listed_at is None or abs(now - self._listed_at) >= min(self._every, OVERLAP):
            self._listed, self._listed_at = self._sources(), now
        for source in self._listed:
            pause = min(SOONER, self._every) if self._problems.get(source.name) else self._every
            before = self._read_at.get(source.name)
            if before is None or abs(now - before) >= pause:
                self._read_at[source.name] = now
                self._note(source, self._read_on(source, now))

    def _read_on(self, source: Source, now: datetime) -> str:
        """Why it could not be read, else empty."""
        try:
            begun = self._ledger.bookmarks.get(source.name)
            if begun is not None:
                for event in self._unknown(source.failures(max(begun - OVERLAP, now - self._most_back), now=now), now):
                    self._ledger.event_writer.submit(event).result()
                    log.warning("%s: a failure that no webhook had told, %s", source.name, event.delivery_id)
            self._ledger.bookmarks.put(source.name, now)
        except (TransientError, PermanentError) as error:
            return str(error)
        return ""

    def _unknown(self, found: Sequence[StoredEvent], now: datetime) -> list[StoredEvent]:
        known = self._ledger.events.known([event.delivery_id for event in found])
        return [event for event in found if event.delivery_id not in known and not self._is_placed(event, now)]

    def _is_placed(self, event: StoredEvent, now: datetime) -> bool:
        """Whether its failure is known by another delivery; what is none is not accepted at all."""
        try:
            told = read_delivery(event.source, event.event_name, event.delivery_id, event.body, now=now)
        except BadInputError as error:
            log.warning("%s cannot be read: %s", event.delivery_id, error)
            return True
        keys = [signal_key(signal) for signal in told.signals]
        return all(self._ledger.members.incident_of(key) is not None for key in keys)

    def _note(self, source: Source, problem: str) -> None:
        """Say once what is wrong, and once that it is over."""
        before = self._problems.get(source.name, "")
        self._problems[source.name] = problem
        if problem and not before:
            log.warning("%s is not read for what webhooks did not tell: %s", source.name, problem)
        elif before and not problem:
            log.info("%s is read again", source.name)
