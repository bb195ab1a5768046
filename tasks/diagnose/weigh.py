"""Weighs a rule's lines: nearness to the failure, and whether a line is an error or merely mentions one.

Logs are full of lines that read like a cause and are none: a retry that went well, a server that a test stops on
purpose, a level of logging that says itself that it is no error. Rules that know such lines say how far they reach;
the verdicts of test runners, compilers and linters stand wherever they stand.
"""

import re
from collections.abc import Sequence

from tasks.domain.evidence import EvidenceLine
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

FAR = 35
"""What a line loses in rank when it is far from the failure or only mentions an error: it yields to any verdict."""
OUT_OF_REACH = 5
"""Times the reach: beyond that a line that may be harmless explains nothing."""

FARTHER, NEAR_SHARE = 12, 8
"""What a line loses beyond that share of its reach: of two such lines the one near the failure explains it."""
REPORT_LINES = 40
"""A failing test's own report: what it threw stands so near before the verdict, wherever the log ends."""

VERDICTS = frozenset({FailureClass.CI_TEST_ASSERT, FailureClass.CI_LINT, FailureClass.CI_TYPE, FailureClass.CI_COMPILE})
"""Classes in which a tool passes judgement on the code: beside them, a bare mention of trouble is background."""

_MENTION = re.compile(r"(?:^|[\s\[|\"=])(?:TRACE|DEBUG|INFO|WARN(?:ING)?|debug|info|warn|warning)[\]|\"]?[\s:\]]")
_RETRIES = re.compile(r"Retrying \(Retry\(|^W: ")
_THROWN = re.compile(
    r"^\s*(?:##\[error\]|E\s{2,}|E: |Caused by: |FAILED |(?:ERROR|Error|error):? |fatal: |FATAL|panic: "
    r"|t/\S+\.t \.+ |\[(?:ERROR|error)\]|npm (?:ERR!|error)|(?:[A-Za-z_]\w*[.:]{1,2})*[A-Z]\w*(?:Error|Exception)\b)"
    r"|exit(?:ed with)?(?: code| status)? ?\d"
)


def weigh_line(signature: Signature, line: EvidenceLine, *, verdicts: Sequence[EvidenceLine]) -> int | None:
    """How much a line adds to its rule's rank: from 0 in full to `FAR`, or `None` when it explains nothing at all.

    `verdicts` are the lines in which a tool judges the code.
    """
    if signature.reach_lines is None:
        return 0
    thrown = bool(_THROWN.search(line.text))
    distance = line.lines_before_failure
    if thrown and any(_reports(verdict, line) for verdict in verdicts):
        distance = 0
    if distance is not None and distance > OUT_OF_REACH * signature.reach_lines:
        return None
    mention = bool(_MENTION.search(line.text)) and not _RETRIES.search(line.text)
    if distance is None or distance > signature.reach_lines or mention or (verdicts and not thrown):
        return FAR
    return FARTHER if distance > signature.reach_lines // NEAR_SHARE else 0


def _reports(verdict: EvidenceLine, line: EvidenceLine) -> bool:
    after = (verdict.line_number or 0) - (line.line_number or 0)
    return verdict.source == line.source and 0 <= after <= REPORT_LINES


def weigh_lines(
    signature: Signature, lines: Sequence[EvidenceLine], *, verdicts: Sequence[EvidenceLine]
) -> tuple[int, tuple[EvidenceLine, ...]] | None:
    """The least that the lines add to the rank, with the lines that add that much; `None` when none of them counts."""
    weighed = [(weigh_line(signature, line, verdicts=verdicts), line) for line in lines]
    counted = [weight for weight, _ in weighed if weight is not None]
    if not counted:
        return None
    return min(counted), tuple(line for weight, line in weighed if weight == min(counted))
