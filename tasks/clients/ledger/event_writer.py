"""Commits accepted events in groups: one thread, one transaction for all that waits, each told after the commit.

A commit costs a flush of the disk, whatever is in it. So many doors wait for one flush together, and none is answered
before its event is safe: https://www.sqlite.org/faq.html#q19.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from tasks.clients.ledger.engine import transaction
from tasks.clients.ledger.events import StoredEvent, event_values
from tasks.clients.ledger.tables import events
from tasks.errors import PermanentError, TransientError

MOST_IN_ONE = 500
"""Events in one transaction; more wait for the next."""
MOST_WAITING = 10_000
"""Events that may wait for a commit; a ledger that is so far behind takes no more."""


class _Waiting:
    """One event and whoever waits for it."""

    def __init__(self, event: StoredEvent) -> None:
        self.event = event
        self.done: Future[bool] = Future()


class EventWriter:
    """The one writer of accepted events in this process. Its thread starts with the first event."""

    def __init__(self, engine: Engine, *, most_in_one: int = MOST_IN_ONE) -> None:
        self._engine, self._most_in_one = engine, most_in_one
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(MOST_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, event: StoredEvent) -> Future[bool]:
        """Store a delivery; the future says, after the commit, whether it is new.

        Raises:
            TransientError: too many wait already; the sender has to try again later.
        """
        waiting = _Waiting(event)
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise TransientError(f"{MOST_WAITING} events wait for the ledger", retry_after_seconds=5) from None
        if self._thread is None:
            self._start()
        return waiting.done

    def close(self) -> None:
        """Commit what waits, and end the thread."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = self._gather(first)
            self._commit(group)
            if last:
                return

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """All that waits by now, and whether the end was among it. Who stopped waiting is left out."""
        group = [first]
        last = False
        while len(group) < self._most_in_one and not last:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                last = True
            else:
                group.append(waiting)
        return [waiting for waiting in group if waiting.done.set_running_or_notify_cancel()], last

    def _commit(self, group: Sequence[_Waiting]) -> None:
        if not group:
            return
        try:
            with transaction(self._engine) as connection:
                new = _insert(connection, [waiting.event for waiting in group])
        except PermanentError:
            self._commit_singly(group)
        except Exception as error:  # noqa: BLE001
            # Whoever waits has to be told whatever it was, and the thread goes on for the next.
            for waiting in group:
                waiting.done.set_exception(error)
        else:
            for waiting, is_new in zip(group, new, strict=True):
                waiting.done.set_result(is_new)

    def _commit_singly(self, group: Sequence[_Waiting]) -> None:
        """One event that the database refuses must not cost the others: each for itself."""
        for waiting in group:
            try:
                with transaction(self._engine) as connection:
                    (is_new,) = _insert(connection, [waiting.event])
            except Exception as error:  # noqa: BLE001
                if isinstance(error.__cause__, IntegrityError):  # another process stored it between the two statements
                    waiting.done.set_result(False)
                else:
                    waiting.done.set_exception(error)
            else:
                waiting.done.set_result(is_new)


def _insert(connection: Connection, group: Sequence[StoredEvent]) -> list[bool]:
    """Insert those that are not known; says of each whether it is new."""
    ids = [event.delivery_id for event in group]
    known = set(connection.execute(select(events.c.delivery_id).where(events.c.delivery_id.in_(ids))).scalars())
    fresh: dict[str, StoredEvent] = {}
    told: list[bool] = []
    for event in group:
        is_new = event.delivery_id not in known and event.delivery_id not in fresh
        told.append(is_new)
        if is_new:
            fresh[event.delivery_id] = event
    if fresh:
        connection.execute(insert(events), [event_values(event) for event in fresh.values()])
    return told
