"""Quotes a scanner's report as lines of evidence, the worst findings of each kind, for a diagnosis to name."""

from collections.abc import Iterable, Sequence

from tasks.collect.ci_logs import LogScan
from tasks.domain.evidence import MAX_LINE_CHARACTERS, Evidence, EvidenceLine, LineRole
from tasks.domain.vulnerability import ScanReport

MAX_SECRETS, MAX_VULNERABILITIES, MAX_BREACHES, MAX_GAPS = 6, 20, 8, 4


def quote_scan(report: ScanReport) -> LogScan:
    """The lines, to be numbered with those of the logs; a clean and complete report has none."""
    findings = [
        *(secret.say() for secret in report.secrets[:MAX_SECRETS]),
        *(vulnerability.say() for vulnerability in report.vulnerabilities[:MAX_VULNERABILITIES]),
        *(breach.say() for breach in report.misconfigurations[:MAX_BREACHES]),
    ]
    gaps = report.gaps[:MAX_GAPS]
    lines = [*_lines(report, findings, LineRole.CAUSE)]
    lines += _lines(report, gaps, LineRole.CONTEXT if findings else LineRole.CAUSE)
    return LogScan(source=report.evidence_source, lines=tuple(lines))


def with_scans(evidence: Evidence, reports: Sequence[ScanReport]) -> Evidence:
    """The evidence with the reports, whose lines follow those that stand there already."""
    first = len(evidence.lines) + 1
    lines = [line for report in reports for line in quote_scan(report).lines]
    numbered = (line.model_copy(update={"id": f"E{number}"}) for number, line in enumerate(lines, first))
    return evidence.model_copy(update={"lines": (*evidence.lines, *numbered), "scans": (*evidence.scans, *reports)})


def _lines(report: ScanReport, texts: Iterable[str], role: LineRole) -> Iterable[EvidenceLine]:
    for text in texts:
        yield EvidenceLine(id="E0", source=report.evidence_source, text=text[:MAX_LINE_CHARACTERS], role=role)
