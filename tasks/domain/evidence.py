"""Evidence: quoted lines with ids and sources, what changed, and the sources that could not be read."""

from enum import StrEnum

from pydantic import Field

from tasks.domain.base import Noun, UtcTime
from tasks.domain.pipeline import JobOutcome
from tasks.domain.vulnerability import ScanReport

MAX_LINE_CHARACTERS = 2_000
"""A quoted line is cut here; the cut is marked with an ellipsis."""
MASK = "[REDACTED]"
"""What stands in the place of a secret."""


class LineRole(StrEnum):
    """Why a line is quoted: it says why the failure happened, or it stands beside one that does."""

    CAUSE = "cause"
    CONTEXT = "context"


class EvidenceLine(Noun):
    """One line of outside text, redacted and bounded, that a claim may quote by its id."""

    id: str
    """`E1`, `E2`, … in the order of the sources."""
    source: str
    """Where the line stands: `log:JOB`, `annotation:JOB`, `change:COMMIT`, `scan:REPORT`."""
    line_number: int | None = Field(default=None, ge=1)
    """1-based line of the raw source, `None` where lines have no numbers."""
    text: str = Field(max_length=MAX_LINE_CHARACTERS)
    role: LineRole = LineRole.CAUSE
    signature: str | None = None
    """The name of the signature that located the line, `None` for context."""
    step: str | None = None
    """The step of the job that printed the line, where the log says so."""
    repeated: int = Field(default=1, ge=1)
    """How often the line stands in the source, after masking."""
    lines_before_failure: int | None = Field(default=None, ge=0)
    """How many lines later the log says that the job failed; `None` where that is not known, or was said before."""


class UnreadableSource(Noun):
    """A source that should have been read and was not, and why; it lowers the confidence of a diagnosis."""

    source: str
    reason: str


class Change(Noun):
    """One commit between the last green run and the failing one."""

    commit: str
    author: str
    summary: str
    files: tuple[str, ...]
    committed_at: UtcTime


class TestHistory(Noun):
    """What is known of one run's neighbours: passes and failures of the same workflow on the same commit."""

    __test__ = False

    passed_on_same_commit: int = 0
    failed_on_same_commit: int = 0
    last_green_commit: str | None = None


class Evidence(Noun):
    """All that was read about one incident; a diagnosis may only quote ids that stand here."""

    lines: tuple[EvidenceLine, ...] = ()
    jobs: tuple[JobOutcome, ...] = ()
    changes: tuple[Change, ...] = ()
    history: TestHistory = TestHistory()
    scans: tuple[ScanReport, ...] = ()
    """The reports of security scanners; their worst findings also stand among the lines."""
    unreadable: tuple[UnreadableSource, ...] = ()
    truncated: bool = False
    """Whether a log was cut before its end, so that the cause may be missing."""

    def line(self, evidence_id: str) -> EvidenceLine | None:
        """The line with that id, `None` when no line has it."""
        return next((line for line in self.lines if line.id == evidence_id), None)
