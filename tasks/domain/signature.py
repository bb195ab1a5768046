"""Signature: how one kind of failure looks in a log, and what it says."""

import re
from functools import cached_property

from pydantic import Field

from tasks.domain.base import Noun
from tasks.domain.diagnosis import CulpritKind
from tasks.domain.failure_class import FailureClass

_CARET = re.compile(r"(?<![\[\\])\^")
_LINE_START = r"^(?:##\[(?:error|warning)\]|Error: |#\d+ \d+\.\d+ +|[\w.-]+ +\| )?"
"""Where a tool's line starts: after what GitHub, BuildKit (`#12 3.456 `) or Compose (`web_1  | `) put before it."""


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
    transient: bool = False
    follow: str | None = None
    """RE2 pattern looked for in the lines after a hit; its groups fill what the line itself does not say."""
    reach_lines: int | None = Field(default=None, ge=1)
    """For lines that are often harmless: how many lines before the failure one still counts in full.

    Farther away it yields to every other finding, and five times as far it counts for nothing. `None`: wherever the
    line stands, as for a test runner's or compiler's own verdict.
    """

    @cached_property
    def searched(self) -> str:
        """The pattern with the beginning of a line widened by what CI systems and tools put before a tool's line."""
        return _CARET.sub(lambda _: _LINE_START, self.pattern)
