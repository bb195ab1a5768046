"""Scanners in logs: a scanner that could not look found nothing, and a count in passing explains nothing."""

import io

import pytest

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.diagnose import diagnose, signatures
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence


def explain(log: str) -> Diagnosis:
    scan = scan_log(io.BytesIO(f"{log}\n".encode()), source="log", signatures=signatures())
    return diagnose(Evidence(lines=number_evidence([scan])), repository="o/r", workflow="ci")


@pytest.mark.parametrize(
    "log",
    [
        "Total: 0 (UNKNOWN: 0, LOW: 0, MEDIUM: 0, HIGH: 0, CRITICAL: 0)",
        "Total: 12 tests",
        "| name | CVE-2024-1 is only mentioned in prose |",
        "✓ Tested 120 dependencies for known issues, no vulnerable paths found.",
        "Tested 120 dependencies for known issues, found 0 issues.",
        "10:14AM INF no leaks found",
        "10:14AM INF leaks found: 0",
        "No secrets detected",
        "0 secrets found",
        "remote: error: GH013: Repository rule violations found for refs/heads/main.",
        "gitleaks detect --source . --no-banner",
        "FAILOVER - db - main - done",
        "3 tests, 3 passed, 0 warnings, 0 failures, 0 exceptions",
        "Tests: 27 (SUCCESSES: 27, FAILURES: 0)",
        "Passed checks: 12, Failed checks: 0, Skipped checks: 0",
        "No known vulnerabilities found",
        "found 0 vulnerabilities",
        "added 12 packages\n\n7 vulnerabilities (2 moderate, 4 high, 1 critical)\nrun `npm audit fix` to fix them",
        "0 vulnerabilities found - Packages audited: 120",
        "No vulnerabilities found.",
        "Your code is affected by 0 vulnerabilities.",
        "error: 0 vulnerabilities found!",
        "Downloading vulnerability DB...",
        "Successfully downloaded vulnerability DB",
        "the cache may be used by another process later",
        "snyk exited with code 0",
        "see (SNYK-DOCS) for help",
        "flask 1.0 is new, see GHSA-xxxx",
    ],
)
def test_a_neighbour_of_a_finding_is_unknown(log: str) -> None:
    found = explain(log)
    assert str(found.failure_class) == "unknown", found.rule


@pytest.mark.parametrize(
    ("log", "rule", "failure_class", "culprit"),
    [
        ("Total: 12 (UNKNOWN: 0, LOW: 3, MEDIUM: 5, HIGH: 3, CRITICAL: 1)", "scan.trivy", "sec.trivy", None),
        ("Total: 1 (CRITICAL: 1)", "scan.trivy", "sec.trivy", None),
        ("│ libssl1.1 │ CVE-2019-1549 │ MEDIUM   │ fixed  │ 1.1.1c-r0 │ 1.1.1d-r0 │ openssl │", "scan.trivy", "sec.trivy", "libssl1.1"),
        ("| jquery | CVE-2019-11358 | MEDIUM | 3.3.9 | 3.4.0 | title |", "scan.trivy", "sec.trivy", "jquery"),
        ("│ Werkzeug (METADATA) │ CVE-2019-14806 │ HIGH     │ fixed │ 0.11 │ 0.15.3 │ x │", "scan.trivy", "sec.trivy", "Werkzeug"),
        ("Tested 120 dependencies for known issues, found 3 issues, 5 vulnerable paths.", "scan.snyk", "sec.snyk", None),
        ("✗ High severity vulnerability found in qs", "scan.snyk", "sec.snyk", "qs"),
        ("  ✗ Race Condition [High Severity][https://security.snyk.io/vuln/X] in anyio@4.3.0", "scan.snyk", "sec.snyk", "anyio"),
        ("  Upgrade @acme/web@1.0.0 to @acme/web@1.2.0 to fix", "scan.snyk", "sec.snyk", "@acme/web"),
        ("  Info: https://security.snyk.io/vuln/SNYK-JS-LODASH-567746", "scan.snyk", "sec.snyk", None),
        ("ERROR   Unspecified Error (SNYK-CLI-0000)", "scan.snyk.fault", "sec.snyk", "snyk"),
        ("snyk test exited with code 2", "scan.snyk.fault", "sec.snyk", "snyk"),
        ("Could not detect supported target files in /__w/shop.", "scan.snyk.project", "sec.snyk", None),
        ("snyk exit code: 3", "scan.snyk.project", "sec.snyk", None),
        ("Authentication error (SNYK-0005)", "scan.snyk.login", "ci.auth.expired", "SNYK_TOKEN"),
        ("FATAL\tinit error: DB error: failed to download vulnerability DB: OCI artifact error", "scan.database", "ci.net.tls/conn", None),
        ("npm error audit endpoint returned an error", "scan.database", "ci.net.tls/conn", None),
        ("FATAL unable to initialize fs cache: cache may be in use by another process: timeout", "scan.trivy.cache", "sec.trivy", "Trivy's cache"),
        ("10:14AM WRN leaks found: 2", "scan.secret", "sec.secret", "a committed secret"),
        ("remote: - GITHUB PUSH PROTECTION", "scan.secret", "sec.secret", None),
        ("deploy.sh (secrets)\n==========", "scan.secret", "sec.secret", None),
        ("3 secrets detected", "scan.secret", "sec.secret", None),
        ("Found verified result", "scan.secret", "sec.secret", None),
        ("[0009] ERROR discovered vulnerabilities at or above the severity threshold", "scan.packages", "sec.trivy", None),
        ("flask     1.0       1.1       python  GHSA-562c-5r94-xh97  High", "scan.packages", "sec.trivy", "flask"),
        ("Found 2 known vulnerabilities in 1 package", "scan.packages", "sec.trivy", None),
        ("jinja2 2.7.2   PYSEC-2021-66 2.11.3", "scan.packages", "sec.trivy", "jinja2"),
        ("# npm audit report\n\nlodash  <=4.17.20\nSeverity: critical", "scan.packages", "sec.trivy", "lodash"),
        ("3 vulnerabilities found - Packages audited: 120", "scan.packages", "sec.trivy", None),
        ("Vulnerability #1: GO-2024-2611\n    Infinite loop\n  Module: google.golang.org/protobuf\n    Found in: google.golang.org/protobuf@v1.32.0", "scan.packages", "sec.trivy", "google.golang.org/protobuf"),
        ("Your code is affected by 2 vulnerabilities from 1 module.", "scan.packages", "sec.trivy", None),
        ("error: 3 vulnerabilities found!", "scan.packages", "sec.trivy", None),
        ("ID:       RUSTSEC-2017-0004", "scan.packages", "sec.trivy", None),
        ("│ https://osv.dev/GHSA-35jh-r3h4-6jhm │ 7.2  │ npm │ lodash │ 4.17.20 │", "scan.packages", "sec.trivy", None),
        ("One or more dependencies were identified with vulnerabilities that have a CVSS score", "scan.packages", "sec.trivy", None),
        ("FAIL - deploy.yaml - main - Containers must not run as root", "scan.policy", "sec.policy", "main - Containers must not run as root"),
        ("3 tests, 1 passed, 0 warnings, 2 failures, 0 exceptions", "scan.policy", "sec.policy", None),
        ("Tests: 27 (SUCCESSES: 26, FAILURES: 1)", "scan.policy", "sec.policy", None),
        ('Check: CKV_AWS_20: "S3 Bucket has an ACL defined"', "scan.policy", "sec.policy", "CKV_AWS_20"),
        ("src/Dockerfile:3 DL3008 warning: Pin versions in apt get install", "lint.other", "ci.lint", None),
    ],
)  # fmt: skip
def test_scanner_is_known_by_its_words(log: str, rule: str, failure_class: str, culprit: str | None) -> None:
    found = explain(log)
    assert (found.rule, str(found.failure_class)) == (rule, failure_class)
    if culprit is not None:
        assert found.culprit is not None
        assert found.culprit.name == culprit


@pytest.mark.parametrize(
    ("log", "transient"),
    [
        ("FATAL init error: DB error: failed to download vulnerability DB", True),
        ("cache may be in use by another process: timeout", True),
        ("ERROR   Unspecified Error (SNYK-CLI-0000)", True),
        ("Could not detect supported target files in .", False),
        ("Total: 1 (CRITICAL: 1)", False),
    ],
)
def test_only_a_fault_of_the_tool_may_be_gone_with_the_next_run(log: str, transient: bool) -> None:
    assert explain(log).transient is transient


def test_a_rate_limit_explains_the_failed_download() -> None:
    log = (
        'ERROR [vulndb] Failed to download artifact repo="r" err="oci download error: GET: TOOMANYREQUESTS: retry-after: 1ms"\n'
        "FATAL Fatal error init error: DB error: failed to download vulnerability DB: failed to download artifact from any source"
    )
    found = explain(log)
    assert (str(found.failure_class), found.transient) == ("ci.rate", True)


def test_what_gitleaks_found_is_named_by_rule_and_file_and_not_shown() -> None:
    value = "cafebabe" + ":" + "deadbeef"
    log = (
        f'Finding:     "export SOME_HOST={value}",\nSecret:      {value}\nRuleID:      sidekiq-secret\n'
        "Entropy:     2.609850\nFile:        cmd/rules/sidekiq.go\nLine:        23\n10:14AM WRN leaks found: 1"
    )
    found = explain(log)
    assert found.culprit is not None
    assert (found.culprit.name, found.culprit.file) == ("sidekiq-secret", "cmd/rules/sidekiq.go")
    scan = scan_log(io.BytesIO(log.encode()), source="log", signatures=signatures())
    assert value not in scan.model_dump_json()
