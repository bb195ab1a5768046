"""Findings from scanners' reports: nothing from nothing, faults are no vulnerabilities, the worst fixable comes first."""

from typing import Any

import pytest

from tasks.collect.ci_logs import number_evidence
from tasks.collect.scans import quote_scan
from tasks.diagnose import diagnose
from tasks.domain.diagnosis import CulpritKind, Diagnosis
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.failure_class import FailureClass
from tests.unit.collect.scan_reports import read, sarif, snyk, snyk_weakness, trivy, trivy_pip, weakness


def explain(*documents: object, log: tuple[EvidenceLine, ...] = ()) -> Diagnosis:
    reports = tuple(read(document) for document in documents)
    quotes = number_evidence([quote_scan(report) for report in reports])
    return diagnose(Evidence(lines=(*quotes, *log), scans=reports), repository="acme/shop", workflow="CI")


def log_line(text: str, signature: str) -> EvidenceLine:
    return EvidenceLine(id="E90", source="log:scan", line_number=4, text=text, signature=signature)


def test_a_clean_report_explains_nothing() -> None:
    assert explain(trivy(trivy_pip())).failure_class is FailureClass.UNKNOWN


def test_nothing_is_claimed_that_is_not_quoted() -> None:
    report = read(trivy(trivy_pip(weakness())))
    found = diagnose(Evidence(scans=(report,)), repository="acme/shop", workflow="CI")
    assert found.failure_class is FailureClass.UNKNOWN


@pytest.mark.parametrize(
    ("document", "failure_class", "transient"),
    [
        ({"ok": False, "error": "socket hang up", "path": "."}, FailureClass.SEC_SNYK, True),
        ({"ok": False, "error": "Could not detect supported target files in ."}, FailureClass.SEC_SNYK, False),
        ({"ok": False, "error": "Unauthorized", "code": 401}, FailureClass.CI_AUTH_EXPIRED, False),
        (b"", FailureClass.SEC_TRIVY, True),
    ],
)
def test_a_scanner_that_failed_is_a_fault_and_no_vulnerability(
    document: object, failure_class: FailureClass, transient: bool
) -> None:
    found = explain(document)
    assert (found.failure_class, found.transient, found.rule) == (failure_class, transient, "report.fault")
    assert found.evidence_ids
    assert "vulnerable" not in found.cause


def test_the_worst_that_can_be_fixed_comes_first() -> None:
    found = explain(
        trivy(
            trivy_pip(
                weakness("CVE-1", package="low", severity="LOW"),
                weakness("CVE-2", package="stuck", severity="CRITICAL", fixed=""),
                weakness("CVE-3", package="flask", severity="CRITICAL"),
            )
        )
    )
    assert found.failure_class is FailureClass.SEC_TRIVY
    assert found.culprit is not None
    assert (found.culprit.kind, found.culprit.name, found.culprit.file) == (
        CulpritKind.PACKAGE,
        "flask",
        "requirements.txt",
    )
    assert found.culprit.version == "1.0"
    assert "fixed in 1.1" in found.cause
    assert [other.culprit.name for other in found.other_findings if other.culprit] == ["stuck", "low"]
    assert not found.transient


def test_snyk_names_the_dependency_to_upgrade() -> None:
    found = explain(snyk(snyk_weakness()))
    assert found.failure_class is FailureClass.SEC_SNYK
    assert "upgrading debug to 2.6.9 fixes it" in found.cause


def test_a_secret_comes_before_everything_and_is_not_shown() -> None:
    leak = {"RuleID": "aws", "Title": "AWS key", "StartLine": 3, "Match": "key=TOPSECRETVALUE"}
    found = explain(trivy(trivy_pip(weakness()), {"Target": "deploy.sh", "Class": "secret", "Secrets": [leak]}))
    assert found.failure_class is FailureClass.SEC_SECRET
    assert found.culprit is not None
    assert (found.culprit.file, found.culprit.line) == ("deploy.sh", 3)
    assert "TOPSECRETVALUE" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("document", "failure_class"),
    [
        (
            trivy({"Target": "Dockerfile", "Misconfigurations": [{"ID": "DS-2", "Title": "Root"}]}),
            FailureClass.SEC_POLICY,
        ),
        (sarif({"ruleId": "js/Sqli", "level": "error"}, tool="SnykCode"), FailureClass.SEC_SNYK),
        (sarif({"ruleId": "SNYK-CC-1", "level": "error"}, tool="Snyk IaC"), FailureClass.SEC_POLICY),
        (sarif({"ruleId": "js/sqli", "level": "error"}, tool="CodeQL"), FailureClass.SEC_POLICY),
    ],
)
def test_broken_rules_are_policy_and_snyk_code_is_snyk(document: Any, failure_class: FailureClass) -> None:
    assert explain(document).failure_class is failure_class


def test_a_report_does_not_explain_a_job_that_failed_for_another_reason() -> None:
    failed = log_line("FAILED tests/test_a.py::test_b - assert 1", "pytest.failed")
    from tasks.diagnose import signatures

    name = next(one.name for one in signatures() if one.failure_class is FailureClass.CI_TEST_ASSERT)
    found = explain(trivy(trivy_pip(weakness())), log=(failed.model_copy(update={"signature": name}),))
    assert found.failure_class is FailureClass.CI_TEST_ASSERT
    assert FailureClass.SEC_TRIVY in {other.failure_class for other in found.other_findings}


def test_a_report_says_more_than_the_scanners_table_in_the_log() -> None:
    table = log_line("Total: 2 (HIGH: 2, CRITICAL: 0)", "scan.trivy")
    found = explain(trivy(trivy_pip(weakness())), log=(table,))
    assert (found.rule, found.culprit and found.culprit.name) == ("report.vulnerability", "flask")


def test_a_report_with_gaps_is_believed_less() -> None:
    whole = explain(trivy(trivy_pip(weakness())))
    holed = explain(trivy(trivy_pip(weakness(), None)))  # type: ignore[arg-type]
    assert holed.failure_class is whole.failure_class
    assert holed.confidence < whole.confidence
