"""The ledger: the source of truth for events, incidents, approvals, actions and outcomes.

Every step is written before it is taken and after, so that a killed process resumes without acting twice.
"""

from functools import cache
from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from tasks.clients.ledger.approvals import Approvals, StoredApproval
from tasks.clients.ledger.audit import Audit
from tasks.clients.ledger.bodies import Bodies
from tasks.clients.ledger.bookmarks import Bookmarks
from tasks.clients.ledger.cards import Cards, StoredCard
from tasks.clients.ledger.engine import make_engine, migrate
from tasks.clients.ledger.event_writer import EventWriter
from tasks.clients.ledger.events import Backlog, Events, EventStatus, StoredEvent
from tasks.clients.ledger.heals import Delay, Heals
from tasks.clients.ledger.incidents import EntryKind, Incidents, JournalEntry, StoredIncident
from tasks.clients.ledger.joining import Joining
from tasks.clients.ledger.leases import Leases
from tasks.clients.ledger.members import Members
from tasks.clients.ledger.memory import Memory, StoredAction
from tasks.clients.ledger.revisions import Revisions
from tasks.errors import HealflowError

__all__ = [
    "Backlog",
    "Delay",
    "EntryKind",
    "EventStatus",
    "JournalEntry",
    "Ledger",
    "StoredAction",
    "StoredApproval",
    "StoredCard",
    "StoredEvent",
    "StoredIncident",
]


class Ledger:
    """One database with its parts, each a table or a few that belong together."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.events = Events(engine)
        self.event_writer = EventWriter(engine)
        self.bodies = Bodies(engine)
        self.incidents = Incidents(engine)
        self.members = Members(engine)
        self.joining = Joining(engine)
        self.approvals = Approvals(engine)
        self.cards = Cards(engine)
        self.memory = Memory(engine)
        self.audit = Audit(engine)
        self.heals = Heals(engine)
        self.leases = Leases(engine)
        self.revisions = Revisions(engine)
        self.bookmarks = Bookmarks(engine)

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect to a SQLAlchemy URL and bring the schema up to date."""
        engine = make_engine(url)
        try:
            migrate(engine)
        except HealflowError:
            engine.dispose()
            raise
        return cls(engine)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """The embedded default: SQLite in WAL mode in that folder."""
        return cls.open(f"sqlite:///{folder / 'ledger.db'}")

    @classmethod
    def shared(cls, url: str) -> "Ledger":
        """The ledger at that URL, opened once per process."""
        return _shared(url)

    def close(self) -> None:
        """Commit what waits, and give the connections back."""
        self.event_writer.close()
        self._engine.dispose()


@cache
def _shared(url: str) -> Ledger:
    return Ledger.open(url)
