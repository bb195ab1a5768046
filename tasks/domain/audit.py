"""AuditEntry: one line of the trail, whose hash covers the line before it; and what checking the trail found."""

import hashlib
import json

from tasks.domain.base import Noun, UtcTime

GENESIS = "0" * 64
"""What stands for the hash before the first entry."""


class AuditEntry(Noun):
    """One thing that happened, and who did it. Altering, dropping or moving an entry breaks the chain after it."""

    sequence: int
    """From 1, without gaps."""
    at: UtcTime
    kind: str
    incident_id: str
    actor: str
    document: str
    """JSON."""
    hash: str

    def expected_hash(self, previous: str) -> str:
        """SHA-256 over the previous hash and this entry's canonical JSON."""
        told = self.model_dump(mode="json", exclude={"hash"}) | {"at": self.at.isoformat()}
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


class AuditReport(Noun):
    """Whether the trail is whole: `problem` says where it is not, and is empty when it is."""

    entries: int
    head: str
    """The last hash; written down elsewhere, it proves later that nothing before it was replaced."""
    problem: str = ""
