"""Signature: how one kind of failure looks in a log, and what it says."""

from pydantic import Field

from tasks.domain.base import Noun
from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass


class Signature(Noun):
    """One row of the rules.

    `pattern` is RE2 syntax over one line without timestamp and colours. Its named groups `name`, `file`, `line` and
    `version` become the culprit. `cause` is the sentence for the operator, in which `{name}`, `{file}` and `{version}`
    stand for them.
    """

    name: str
    failure_class: FailureClass
    pattern: str
    cause: str
    culprit_kind: CulpritKind | None = None
    culprit_name: str | None = None
    """The culprit's name where the line does not say it, such as the tool that prints such lines."""
    rank: int = Field(default=50, ge=0, le=100)
    """Cause before consequence: of several findings the lowest rank is the diagnosis."""
    confidence: float = Field(default=0.8, ge=0.0, le=1.0)
    transient: bool = False
    follow: str | None = None
    """RE2 pattern looked for in the lines after a hit; its groups fill what the line itself does not say."""
