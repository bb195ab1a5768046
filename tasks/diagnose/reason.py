"""From quoted lines to findings, and from findings to the diagnosis: cause before consequence, or *unknown*."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from tasks.diagnose.confidence import confidence_of
from tasks.diagnose.fingerprint import fingerprint_of
from tasks.diagnose.registry import SIGNATURES
from tasks.diagnose.scan_report import find_in_scans, merge_findings
from tasks.diagnose.weigh import VERDICTS, weigh_lines
from tasks.domain.diagnosis import Culprit, CulpritKind, Diagnosis, Finding
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

MAX_OTHER_FINDINGS = 6
MAX_QUOTED_IDS = 6
UNREADABLE_COSTS = 0.15
"""How much confidence a diagnosis loses when a source could not be read, or a log was cut."""
FOLLOW_LINES = 4
WEAK_KEEPS = 0.6
"""The share of its confidence that a finding keeps when its lines stand far from the failure or only mention it."""

_BY_NAME: Mapping[str, Signature] = {signature.name: signature for signature in SIGNATURES}
_FLAKY_NEEDS = (FailureClass.CI_TEST_ASSERT, FailureClass.CI_TIMEOUT)


def diagnose(evidence: Evidence, *, repository: str, workflow: str) -> Diagnosis:
    """The finding that explains the others, or `UNKNOWN` when no rule knows a line."""
    findings = merge_findings(rank_findings(evidence), find_in_scans(evidence))
    if not findings:
        return Diagnosis(
            failure_class=FailureClass.UNKNOWN,
            cause="No rule explains this failure.",
            confidence=0.0,
            fingerprint=fingerprint_of(repository, workflow, None, evidence),
        )
    first = _proven_flaky(findings[0], evidence)
    gaps = bool(evidence.unreadable) + evidence.truncated
    return Diagnosis(
        failure_class=first.failure_class,
        cause=first.cause,
        culprit=first.culprit,
        evidence_ids=first.evidence_ids,
        confidence=max(0.0, round(first.confidence - gaps * UNREADABLE_COSTS, 2)),
        transient=first.transient,
        rule=first.rule,
        fingerprint=fingerprint_of(repository, workflow, first, evidence),
        other_findings=findings[1 : 1 + MAX_OTHER_FINDINGS],
    )


def rank_findings(evidence: Evidence) -> tuple[Finding, ...]:
    """One finding for each rule that knows a line, the most likely cause first."""
    found: dict[str, list[EvidenceLine]] = {}
    for line in evidence.lines:
        if line.signature in _BY_NAME:
            found.setdefault(str(line.signature), []).append(line)
    verdicts = [line for name, lines in found.items() if _BY_NAME[name].failure_class in VERDICTS for line in lines]
    weighed = []
    for name, lines in found.items():
        signature = _BY_NAME[name]
        counted = weigh_lines(signature, lines, verdicts=verdicts)
        if counted is not None:
            weighed.append((signature.rank + counted[0], counted[1][0].line_number or 0, signature, counted))
    weighed.sort(key=lambda row: row[:2])
    return tuple(_finding(signature, counted[1], evidence, counted[0] > 0) for _, _, signature, counted in weighed)


def _finding(signature: Signature, lines: Sequence[EvidenceLine], evidence: Evidence, weak: bool) -> Finding:
    groups = _groups(signature, lines, evidence)
    name = groups.get("name") or signature.culprit_name or groups.get("file")
    culprit = None
    if signature.culprit_kind is not None and name:
        culprit = Culprit(
            kind=signature.culprit_kind,
            name=name,
            file=groups.get("file"),
            line=int(groups["line"]) if groups.get("line") else None,
            version=groups.get("version") or None,
        )
    return Finding(
        failure_class=signature.failure_class,
        rule=signature.name,
        cause=_say(signature.cause, name=groups.get("name") or name, file=groups.get("file") or name),
        culprit=culprit,
        evidence_ids=tuple(line.id for line in lines[:MAX_QUOTED_IDS]),
        confidence=round(confidence_of(signature.name) * (WEAK_KEEPS if weak else 1.0), 2),
        transient=signature.transient,
    )


def _say(template: str, *, name: str | None, file: str | None) -> str:
    """The sentence with its names, without the empty end of one that names nothing."""
    said = template.replace("{name}", name or "").replace("{file}", file or "files")
    return re.sub(r"\s*:?\s+\.$|:\s*\.$", ".", re.sub(r" {2,}", " ", said))


def _groups(signature: Signature, lines: Sequence[EvidenceLine], evidence: Evidence) -> dict[str, str]:
    """The named groups of the first line that names something, with those of the lines after it."""
    groups: dict[str, str] = {}
    for line in lines:
        groups = _named(_compiled(signature.searched).search(line.text))
        if groups.get("name") or groups.get("file"):
            break
    if signature.follow is not None and not groups.get("file"):
        first = lines[0].line_number or 0
        for after in evidence.lines:
            if after.source == lines[0].source and 0 < (after.line_number or 0) - first <= FOLLOW_LINES:
                groups = _named(_compiled(signature.follow).search(after.text)) | groups
    return groups


def _named(match: re.Match[str] | None) -> dict[str, str]:
    """Groups by name; `name2`, `file3` and so on are alternatives of `name` and `file`."""
    if match is None:
        return {}
    found: dict[str, str] = {}
    for key, value in match.groupdict().items():
        if value:
            found.setdefault(re.sub(r"\d+$", "", key).replace("host", "name"), value)
    return found


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _proven_flaky(finding: Finding, evidence: Evidence) -> Finding:
    """A failing test is flaky when history proves it: the same commit passed the same workflow."""
    if finding.failure_class not in _FLAKY_NEEDS or evidence.history.passed_on_same_commit == 0:
        return finding
    times = evidence.history.passed_on_same_commit
    return finding.model_copy(
        update={
            "failure_class": FailureClass.CI_TEST_FLAKY,
            "cause": f"Flaky: the same commit passed this workflow {times} times. {finding.cause}",
            "transient": True,
            "culprit": finding.culprit
            and Culprit(kind=CulpritKind.TEST, name=finding.culprit.name, file=finding.culprit.file),
        }
    )
