"""The causes in a cluster as documents: Markdown for a job summary or a comment, SARIF for code hosts."""

from typing import Any

from deployments.cli.cluster_text import victims_text
from deployments.cli.next_steps import next_steps
from deployments.cli.sarif import as_document, quoted_place
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.markdown import inline, prose, quoted


def cluster_markdown(explanation: ClusterExplanation, *, where: str) -> str:
    """One section for each cause."""
    parts = ["## Cluster"]
    if explanation.passed:
        parts.append(f"Nothing wrong was found in {prose(where)}; {explanation.objects_read} objects were read.")
    for number, cause in enumerate(explanation.causes, 1):
        parts += _section(number, cause, explanation)
    rows = [f"- could not read {inline(row.source)}: {prose(row.reason)}" for row in explanation.evidence.unreadable]
    rows += [
        f"- also {inline(hint.diagnosis.failure_class)}: {prose(hint.diagnosis.cause)}" for hint in explanation.hints
    ]
    return "\n\n".join([*parts, *(["\n".join(rows)] if rows else [])])


def _section(number: int, cause: ClusterCause, explanation: ClusterExplanation) -> list[str]:
    found = cause.diagnosis
    parts = [
        f"### {number}. {prose(found.cause)}",
        f"Class {inline(found.failure_class)}, confidence {found.confidence:.0%}, said by {inline(found.rule)}. "
        f"Must change: {inline(str(cause.target))}."
        + (f" Suffer: {inline(victims_text(cause))}." if cause.victim_count else ""),
        quoted(explanation.evidence.lines, only=found.evidence_ids),
    ]
    said = next_steps(found.failure_class)
    return [*parts, f"**Next:** {prose(said)}"] if said else parts


def cluster_sarif(explanation: ClusterExplanation) -> str:
    """One result for each cause (level `error`) and for each hint (level `note`), at the object that must change."""
    rows = [(cause, "error") for cause in explanation.causes] + [(hint, "note") for hint in explanation.hints]
    return as_document([_result(cause, level, explanation) for cause, level in rows])


def _result(cause: ClusterCause, level: str, explanation: ClusterExplanation) -> dict[str, Any]:
    found = cause.diagnosis
    places = [quoted_place(line) for line in explanation.evidence.lines if line.id in found.evidence_ids]
    named = {"logicalLocations": [{"fullyQualifiedName": str(cause.target), "kind": "resource"}]}
    return {
        "ruleId": found.failure_class.value,
        "level": level,
        "message": {"text": found.cause},
        "locations": [{**(places[0] if places else {}), **named}],
        "relatedLocations": [{"id": number, **place} for number, place in enumerate(places, 1)],
        "partialFingerprints": {"healflow/v1": found.fingerprint},
        "properties": {
            "confidence": found.confidence,
            "rule": found.rule,
            "target": str(cause.target),
            "victims": cause.victim_count,
        },
    }
