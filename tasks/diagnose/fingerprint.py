"""The fingerprint: equal for the same failure of the same job on any commit."""

import re

from tasks.domain.diagnosis import Finding
from tasks.domain.evidence import Evidence
from tasks.domain.incident import short_hash

_DETAILS = re.compile(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b|(?<![\w/])/(?:tmp|var/folders)/\S+|\d+",
    re.IGNORECASE,
)


def fingerprint_of(repository: str, workflow: str, finding: Finding | None, evidence: Evidence) -> str:
    """A hash over repository, workflow, job, class, culprit and the cause line without its details."""
    line = evidence.line(finding.evidence_ids[0]) if finding else (evidence.lines[-1] if evidence.lines else None)
    shape = _DETAILS.sub("#", line.text.strip()) if line else ""
    culprit = finding.culprit.name if finding and finding.culprit else ""
    failure_class = finding.failure_class if finding else "unknown"
    return short_hash(repository, workflow, line.source if line else "", failure_class, culprit, shape, length=20)
