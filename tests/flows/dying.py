"""Kills a heal at each of its ledger's transactions, one after another, without a process for each: what dies is a run.

A place is what one transaction writes, right before its commit, the second time it is written too; and right after it
where something outside is changed next, or nothing more comes. After any other commit a death is one before the next.
A run dies at the first place at which none has died before; the next run goes on in its stead, as the dispatcher starts
one, and gets a place further. So one heal dies everywhere. From its death on a run reaches the ledger no more, so
that what `finally` says is in vain, as after a kill.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from tasks.clients.ledger import EntryKind
from tasks.domain.incident import Incident
from tasks.domain.outcome import Outcome
from tests.flows.healing import Healing

_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_SIGNS = {"leases", "cards"}
"""Signs of life come at any time and lead to nothing; cards are the notifier's."""
ANSWERED = "journal.answer"
"""All roads are one until somebody answers: so far only one of them is walked."""
_THEN_OUTSIDE = ("actions", "journal.verification", "outcomes.")
"""An intent or a result, the proof before undo and merge, and the end."""


class Killed(BaseException):
    """Stands for the death of the process: nothing of ours catches it."""


class Death:
    """Waits at each transaction of one thread for its turn."""

    def __init__(self, since: str) -> None:
        """`since` is a write before whose first time nothing dies; empty for death from the beginning."""
        self.places: list[str] = []
        """Where a run has died, in order."""
        self._since = since
        self._thread: int | None = None
        self._dead = False
        self._written: list[str] = []
        self._seen: Counter[str] = Counter()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """One process: it may die once."""
        self._thread, self._dead, self._written, self._seen = threading.get_ident(), False, [], Counter()
        try:
            yield
        finally:
            self._thread = None

    def on_statement(self, _c: Any, _k: Any, statement: str, values: Any, context: Any, _many: bool) -> None:
        """Remember what is written."""
        if threading.get_ident() != self._thread:
            return
        if self._dead:
            raise Killed
        if match := _WRITES.match(statement):
            told = (context.compiled_parameters or [{}])[0]
            kind = told.get("kind") or told.get("status") or ""
            self._written.append(f"{match[1]}.{kind}" if kind else match[1])

    def commit(self, do_commit: Callable[[], None]) -> None:
        """Commit, or die before or after it."""
        if threading.get_ident() != self._thread:
            do_commit()
            return
        written, self._written = self._written, []
        if set(written) <= _SIGNS:
            do_commit()
            return
        name = " ".join(written)
        self._since = "" if self._since in written else self._since
        self._seen[name] += 1
        self._pass_by(f"before {name} ({self._seen[name]})")
        do_commit()
        if any(one.startswith(_THEN_OUTSIDE) for one in written):
            self._pass_by(f"after {name} ({self._seen[name]})")

    def forget(self) -> None:
        """What was written in a transaction that is taken back."""
        if threading.get_ident() == self._thread:
            self._written = []

    def _pass_by(self, place: str) -> None:
        if not self._since and place not in self.places:
            self.places.append(place)
            self._dead = True
            raise Killed


@contextmanager
def listening(since: str) -> Iterator[Death]:
    """Stand at all transactions of this process."""
    death = Death(since)
    event.listen(Engine, "before_cursor_execute", death.on_statement)
    with pytest.MonkeyPatch.context() as patching:
        commit, roll_back = DefaultDialect.do_commit, DefaultDialect.do_rollback

        def do_commit(dialect: Any, connection: Any) -> None:
            death.commit(lambda: commit(dialect, connection))  # type: ignore[no-untyped-call]

        def do_rollback(dialect: Any, connection: Any) -> None:
            death.forget()
            roll_back(dialect, connection)  # type: ignore[no-untyped-call]

        patching.setattr(DefaultDialect, "do_commit", do_commit)
        patching.setattr(DefaultDialect, "do_rollback", do_rollback)
        try:
            yield death
        finally:
            event.remove(Engine, "before_cursor_execute", death.on_statement)


def die_everywhere(
    healing: Healing, incident: Incident, answer: Callable[[], None], *, since: str
) -> tuple[Outcome, list[str]]:
    """Heal, and die at every place; `answer` is called whenever a run waits.

    Returns the outcome of the last run, which found no place left, and all places.
    """
    with listening(since) as death:
        healing.begin(incident)
        while True:
            try:
                with death.waiting():
                    outcome = healing.go_on(incident)
            except Killed:
                healing.begin(incident)
                continue
            if outcome is not None:
                return outcome, death.places
            answer()


def walk(
    healing: Healing, incident: Incident, answer: Callable[[], None], *, least: int, since: str = ANSWERED
) -> Outcome:
    """Die everywhere; what holds on each road is looked at here."""
    outcome, places = die_everywhere(healing, incident, answer, since=since)
    print(f"{len(places)} places: {'; '.join(places)}")
    assert len(places) >= least, "a road that is shorter than it was is not walked whole"
    assert healing.ledger.incidents.get(incident.id).incident.status is outcome.status
    kinds = [entry.kind for entry in healing.ledger.incidents.journal(incident.id)]
    assert kinds.count(EntryKind.OUTCOME) == 1
    assert healing.ledger.memory.outcome_of(incident.id) == outcome
    begun = [(action.name, action.key) for action in healing.ledger.memory.actions_of(incident.id)]
    assert len(set(begun)) == len(begun)
    assert healing.ledger.audit.verify().problem == ""
    return outcome
