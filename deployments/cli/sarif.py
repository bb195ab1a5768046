"""An explanation as SARIF 2.1.0, which code hosts and editors show beside the code.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from tasks.domain.diagnosis import Culprit, Finding
from tasks.domain.evidence import EvidenceLine
from tasks.domain.failure_class import FailureClass
from tasks.domain.story import Explanation

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_document(explanation: Explanation) -> str:
    """One result for the cause (level `error`) and one for each other finding (level `note`)."""
    diagnosis = explanation.diagnosis
    results = []
    if not explanation.passed and diagnosis.failure_class is not FailureClass.UNKNOWN:
        first = Finding(
            failure_class=diagnosis.failure_class,
            rule=diagnosis.rule,
            cause=diagnosis.cause,
            culprit=diagnosis.culprit,
            evidence_ids=diagnosis.evidence_ids,
            confidence=diagnosis.confidence,
            transient=diagnosis.transient,
        )
        results = [_result(first, explanation, "error")]
        results += [_result(other, explanation, "note") for other in diagnosis.other_findings]
    return as_document(results)


def as_document(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as one run of Healflow."""
    rules = sorted({result["ruleId"] for result in results})
    run = {
        "tool": {"driver": {"name": "Healflow", **_version(), "rules": [{"id": rule} for rule in rules]}},
        "columnKind": "utf16CodeUnits",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _version() -> dict[str, str]:
    try:
        return {"version": version("healflow")}
    except PackageNotFoundError:  # run from its source, as the GitHub action does
        return {}


def _result(finding: Finding, explanation: Explanation, level: str) -> dict[str, Any]:
    quoted = [line for line in explanation.evidence.lines if line.id in finding.evidence_ids]
    places = [quoted_place(line) for line in quoted]
    place = _in_code(finding.culprit)
    result: dict[str, Any] = {
        "ruleId": finding.failure_class.value,
        "level": level,
        "message": {"text": finding.cause},
        "locations": [place] if place else places[:1],
        "relatedLocations": [{"id": number, **found} for number, found in enumerate(places, 1)],
        "properties": {"confidence": finding.confidence, "transient": finding.transient, "rule": finding.rule},
    }
    return result


def _in_code(culprit: Culprit | None) -> dict[str, Any] | None:
    """Where the culprit stands, when that is a file of the repository."""
    if culprit is None or not culprit.file or culprit.file.startswith("/") or ".." in culprit.file.split("/"):
        return None
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(culprit.file)}}
    if culprit.line:
        physical["region"] = {"startLine": culprit.line}
    return {"physicalLocation": physical}


def quoted_place(line: EvidenceLine) -> dict[str, Any]:
    """Where a quoted line stands, with its text."""
    region: dict[str, Any] = {"snippet": {"text": line.text}}
    if line.line_number:
        region["startLine"] = line.line_number
    place = {"artifactLocation": {"uri": quote(line.source, safe="/")}, "region": region}
    return {"physicalLocation": place, "message": {"text": line.text or line.source}}
