"""From scanners' reports to findings: secrets before vulnerable packages before broken rules, the worst fixable first.

A report that is not whole never says that nothing is there: where the scanner failed, the failure is the finding.
"""

from collections.abc import Iterator

from tasks.domain.diagnosis import Culprit, CulpritKind, Finding
from tasks.domain.evidence import MAX_LINE_CHARACTERS, Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.vulnerability import (
    BreachKind,
    LeakedSecret,
    Misconfiguration,
    ScanFault,
    Scanner,
    ScanReport,
    Vulnerability,
)

MAX_PACKAGES = 6
"""How many packages of one report become findings of their own."""
CONFIDENCE, CONFIDENCE_WITH_GAPS, CONFIDENCE_OF_A_FAULT = 0.95, 0.85, 0.85


def find_in_scans(evidence: Evidence) -> tuple[Finding, ...]:
    """One finding for each kind and package that the reports name and the evidence quotes, the most urgent first."""
    found = [finding for report in evidence.scans for finding in _findings(report, evidence)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.rule)))


_ORDER = ("report.secret", "report.vulnerability", "report.breach", "report.fault")


def merge_findings(from_logs: tuple[Finding, ...], from_scans: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Cause before consequence: a report explains the failure when the log speaks of a scan too, or of nothing at all.

    Reports are often written by jobs that fail for another reason, and what they list was there before.
    """
    if not from_logs or from_logs[0].failure_class in _SCAN_CLASSES:
        return from_scans + from_logs
    return from_logs + from_scans


_SCAN_CLASSES = (FailureClass.SEC_TRIVY, FailureClass.SEC_SNYK, FailureClass.SEC_SECRET, FailureClass.SEC_POLICY)


def _findings(report: ScanReport, evidence: Evidence) -> Iterator[Finding]:
    quotes = _Quotes(report, evidence)
    yield from filter(None, (_secrets(report, quotes), *_packages(report, quotes), _breaches(report, quotes)))
    if not (report.secrets or report.vulnerabilities or report.misconfigurations) and report.fault is not None:
        fault = _fault(report, report.fault, quotes)
        if fault is not None:
            yield fault


class _Quotes:
    """The evidence ids by the line that quotes a finding."""

    def __init__(self, report: ScanReport, evidence: Evidence) -> None:
        self._confidence = CONFIDENCE if report.complete else CONFIDENCE_WITH_GAPS
        lines = (line for line in evidence.lines if line.source == report.evidence_source)
        self._ids = {line.text: line.id for line in lines}

    def finding(
        self,
        failure_class: FailureClass,
        rule: str,
        cause: str,
        quoted: list[str],
        culprit: Culprit | None = None,
    ) -> Finding | None:
        """The finding, `None` when the evidence does not quote it: nothing is claimed without a quote."""
        ids = [self._ids[text[:MAX_LINE_CHARACTERS]] for text in quoted if text[:MAX_LINE_CHARACTERS] in self._ids]
        if not ids:
            return None
        return Finding(
            failure_class=failure_class,
            rule=rule,
            cause=cause,
            culprit=culprit,
            evidence_ids=tuple(ids[:MAX_PACKAGES]),
            confidence=self._confidence,
        )


def _tool(report: ScanReport) -> str:
    return report.tool or "The scanner"


def _class_of(report: ScanReport) -> FailureClass:
    """Snyk's own class; the class named after Trivy is that of every other scanner of packages and images."""
    return FailureClass.SEC_SNYK if report.scanner is Scanner.SNYK else FailureClass.SEC_TRIVY


def _secrets(report: ScanReport, quotes: _Quotes) -> Finding | None:
    if not report.secrets:
        return None
    first: LeakedSecret = report.secrets[0]
    many = f" and {len(report.secrets) - 1} more" if len(report.secrets) > 1 else ""
    return quotes.finding(
        FailureClass.SEC_SECRET,
        "report.secret",
        f"{_tool(report)} found a committed secret: {first.title} in {first.file or 'the target'}{many}.",
        [secret.say() for secret in report.secrets],
        Culprit(kind=CulpritKind.SECRET, name=first.rule or first.title, file=first.file, line=first.line),
    )


def _packages(report: ScanReport, quotes: _Quotes) -> Iterator[Finding | None]:
    by_package: dict[tuple[str, str, str | None], list[Vulnerability]] = {}
    for one in report.vulnerabilities:
        by_package.setdefault((one.package, one.installed, one.file or one.image), []).append(one)
    for members in list(by_package.values())[:MAX_PACKAGES]:
        worst = members[0]
        what = f"{worst.package} {worst.installed}".rstrip()
        ids = ", ".join(one.id for one in members[:3]) + (" and more" if len(members) > 3 else "")
        yield quotes.finding(
            _class_of(report),
            "report.vulnerability",
            f"{_tool(report)} found {what} vulnerable ({worst.severity}: {ids}); {_remedy(worst)}.",
            [one.say() for one in members],
            Culprit(
                kind=CulpritKind.PACKAGE,
                name=worst.package,
                file=worst.file or worst.image,
                line=worst.line,
                version=worst.installed or None,
            ),
        )


def _remedy(worst: Vulnerability) -> str:
    if worst.upgrade is not None and worst.upgrade.package != worst.package:
        return f"upgrading {worst.upgrade.package} to {worst.upgrade.to} fixes it"
    if worst.fixed:
        return f"fixed in {' or '.join(worst.fixed[:3])}"
    return f"fixed in {worst.upgrade.to}" if worst.upgrade is not None else "no version fixes it yet"


def _breaches(report: ScanReport, quotes: _Quotes) -> Finding | None:
    if not report.misconfigurations:
        return None
    first: Misconfiguration = report.misconfigurations[0]
    many = f" and {len(report.misconfigurations) - 1} more" if len(report.misconfigurations) > 1 else ""
    of_code = first.kind is BreachKind.CODE and report.scanner is Scanner.SNYK
    return quotes.finding(
        FailureClass.SEC_SNYK if of_code else FailureClass.SEC_POLICY,
        "report.breach",
        f"{_tool(report)}: {first.title} ({first.rule}, {first.severity}){many}.",
        [breach.say() for breach in report.misconfigurations],
        Culprit(kind=CulpritKind.RULE, name=first.rule, file=first.file, line=first.line),
    )


def _fault(report: ScanReport, fault: ScanFault, quotes: _Quotes) -> Finding | None:
    """The scanner did not scan: its own class, and only a tool's fault may be gone with the next run."""
    failure_class = FailureClass.CI_AUTH_EXPIRED if fault is ScanFault.REFUSED else _class_of(report)
    said = {
        ScanFault.TOOL: "did not scan, so that nothing is known about the target",
        ScanFault.NO_PROJECT: "found nothing that it can scan, which does not mean that the target is clean",
        ScanFault.REFUSED: "was refused by its service: its token is missing, wrong or expired",
    }[fault]
    found = quotes.finding(failure_class, "report.fault", f"{_tool(report)} {said}.", list(report.gaps))
    return found and found.model_copy(
        update={"transient": fault is ScanFault.TOOL, "confidence": CONFIDENCE_OF_A_FAULT}
    )
