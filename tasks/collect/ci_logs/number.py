"""Gives the quoted lines of all sources their ids."""

from collections.abc import Sequence

from tasks.collect.ci_logs.scan import LogScan
from tasks.domain.evidence import EvidenceLine


def number_evidence(scans: Sequence[LogScan]) -> tuple[EvidenceLine, ...]:
    """`E1`, `E2`, … over all scans, in their order and the order of the lines."""
    lines = [line for scan in scans for line in scan.lines]
    return tuple(line.model_copy(update={"id": f"E{number}"}) for number, line in enumerate(lines, 1))
