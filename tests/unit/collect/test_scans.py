"""Scanners' reports: what is not whole is never clean, what is broken is refused by name, and secrets do not come out."""

import json
from typing import Any

import pytest

from tasks.collect.ci_logs import number_evidence
from tasks.collect.scans import MAX_REPORT_BYTES, parse_scan, quote_scan, with_scans
from tasks.collect.scans.read import MAX_OBJECTS
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.vulnerability import (
    MAX_FINDINGS,
    BreachKind,
    Ecosystem,
    ScanFault,
    Scanner,
    ScanSeverity,
    UpgradeStep,
)
from tasks.errors import BadInputError
from tests.unit.collect.scan_reports import read, sarif, snyk, snyk_weakness, trivy, trivy_pip, weakness

KEY = "AKIA" + "Q" * 16
TOKEN = "ghp_" + "a1B2" * 9


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        ({}, "holds nothing"),
        ([], "holds nothing"),
        (None, "holds nothing"),
        (trivy(), "nothing that was scanned"),
        ({"SchemaVersion": 2, "ArtifactName": "x", "ArtifactType": "filesystem"}, "nothing that was scanned"),
        (trivy(trivy_pip(), Metadata={"OS": {"Family": "alpine", "Name": "3.9", "EOSL": True}}), "no security updates"),
        ({"ClusterName": "c", "Resources": []}, "no resource"),
        (snyk(dependencyCount=0), "no dependency"),
        (snyk(foundProjectCount=4), "saw 4 projects and tested 1"),
        (snyk(ok=False), "does not say why"),
        ({"ok": False, "error": "getaddrinfo ENOTFOUND", "path": "."}, "ENOTFOUND"),
        ([snyk(), {"ok": False, "error": "Gradle broke off", "path": "app"}], "Gradle broke off"),
        ({"ok": False, "errors": [{"title": "Server Error"}]}, "Server Error"),
        ({"version": "2.1.0", "runs": []}, "no run"),
        (
            {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": None}]},
            "did not run to its end",
        ),
        (sarif(invocations=[{"executionSuccessful": False}]), "did not run to its end"),
    ],
)
def test_a_scan_that_is_not_whole_is_never_clean(document: object, told: str) -> None:
    report = read(document)
    assert not report.complete
    assert not report.clean
    assert any(told in gap for gap in report.gaps), report.gaps


@pytest.mark.parametrize("document", [trivy(trivy_pip()), snyk(), sarif(), [snyk(), snyk()]])
def test_a_whole_scan_without_findings_is_clean(document: object) -> None:
    assert read(document).clean


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"error": "Could not detect supported target files in /app"}, ScanFault.NO_PROJECT),
        ({"error": "Not authorised", "code": 401}, ScanFault.REFUSED),
        ({"error": {"message": "Authentication error (SNYK-0005)"}}, ScanFault.REFUSED),
        ({"error": "socket hang up"}, ScanFault.TOOL),
    ],
)
def test_an_error_in_place_of_a_report_says_what_kind_it_is(error: dict[str, Any], fault: ScanFault) -> None:
    assert read({"ok": False, "path": ".", **error}).fault is fault


def test_the_exit_code_of_snyk_says_that_it_did_not_test() -> None:
    assert read(snyk(), exit_code=1).fault is None
    assert read(snyk(), exit_code=2).fault is ScanFault.TOOL
    assert read(snyk(), exit_code=3).fault is ScanFault.NO_PROJECT
    assert read(trivy(trivy_pip()), exit_code=2).fault is None


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"2026-01-01 INFO Vulnerability scanning is enabled", "is no JSON (line 1"),
        (b'{"SchemaVersion": 2, "Results": [', "is no JSON"),
        (b"\xff\xfe\xfa\x00\x81", "scan.json"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "scan.json"),
        (b"[" * 100_000, "deeper than a scanner does"),
        (b'{"a":' * 100_000, "deeper than a scanner does"),
        (b'{"SchemaVersion": ' + b"9" * 10_000 + b"}", "too many digits"),
        (b'"just a text"', "no report of Trivy"),
        (b"7", "no report of Trivy"),
        (b'{"hello": "world"}', "no report of Trivy"),
        (b'[{"Target": "x"}, 7]', "no report of Trivy"),
        (b'{"SchemaVersion": 2, "Results": "none"}', "Results is no list"),
        (b'{"SchemaVersion": 2, "Results": [], "ArtifactName": 7}', "ArtifactName is no text"),
        (b'{"version": "2.1.0", "runs": {}}', "runs is no list"),
    ],
)
def test_what_is_no_report_is_refused_with_what_to_do(raw: bytes, told: str) -> None:
    with pytest.raises(BadInputError) as refused:
        parse_scan(raw, source="scan.json")
    assert told in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_a_huge_report_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadInputError, match="--severity HIGH,CRITICAL") as refused:
        parse_scan(b"[" + b" " * MAX_REPORT_BYTES, source="scan.json")
    assert refused.value.status_code == 413


def test_a_report_of_countless_small_things_is_refused_before_it_is_parsed() -> None:
    raw = b'{"SchemaVersion": 2, "Results": [' + b"{}," * MAX_OBJECTS + b"{}]}"
    with pytest.raises(BadInputError, match="has over 1,000,000 entries"):
        parse_scan(raw, source="scan.json")


@pytest.mark.parametrize(
    "broken",
    [
        {**weakness(), "Severity": 5},
        {**weakness(), "PkgName": ["flask"]},
        {**weakness(), "FixedVersion": {"a": 1}},
        "CVE-2026-1",
        None,
        {},
    ],
)
def test_an_entry_of_a_wrong_type_is_a_gap_and_not_the_end(broken: Any) -> None:
    report = read(trivy(trivy_pip(broken, weakness("CVE-2026-2"))))
    assert [one.id for one in report.vulnerabilities] == ["CVE-2026-2"]
    assert not report.complete
    assert "Results[0].Vulnerabilities[0]" in report.gaps[0]


def test_missing_and_unknown_fields_do_not_matter() -> None:
    report = read(trivy(trivy_pip({"VulnerabilityID": "CVE-1", "PkgName": "a", "New": {"x": [1]}}), Extra=1))
    assert report.complete
    assert (report.vulnerabilities[0].severity, report.vulnerabilities[0].fixed) == (ScanSeverity.UNKNOWN, ())


def test_secrets_never_come_out() -> None:
    leak = {
        "RuleID": "aws-access-key-id",
        "Severity": "CRITICAL",
        "Title": "AWS Access Key ID",
        "StartLine": 3,
        "Match": f"key={KEY}",
        "Code": {"Lines": [{"Content": f"key={KEY}"}]},
    }
    told = weakness(package="flask") | {"Title": f"see https://user:{TOKEN}@example.com/x"}
    report = read(trivy({"Target": "deploy.sh", "Class": "secret", "Secrets": [leak]}, trivy_pip(told)))
    assert (report.secrets[0].rule, report.secrets[0].file, report.secrets[0].line) == (
        "aws-access-key-id",
        "deploy.sh",
        3,
    )
    gitleaks = sarif(
        {
            "ruleId": "aws-access-token",
            "message": {"text": f"aws-access-token has detected secret {KEY}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "a.py"},
                        "region": {"startLine": 9, "snippet": {"text": KEY}},
                    }
                }
            ],
        },
        tool="gitleaks",
        rules=({"id": "aws-access-token", "shortDescription": {"text": "AWS"}},),
    )
    other = read(gitleaks)
    assert (other.secrets[0].file, other.secrets[0].line, other.misconfigurations) == ("a.py", 9, ())
    everything = report.model_dump_json() + other.model_dump_json() + quote_scan(report).model_dump_json()
    assert KEY not in everything
    assert TOKEN not in everything


def test_hidden_characters_and_line_ends_do_not_come_out() -> None:
    title = "Slow\n##[error]fake\u202e\U000e0041\U000e016e\ud800\x1b[2J end"
    found = read(trivy(trivy_pip(weakness() | {"Title": title}))).vulnerabilities[0]
    assert found.title == "Slow ##[error]fake[2J end"
    found.model_dump_json().encode()


def test_the_worst_comes_first_and_what_is_left_out_is_counted() -> None:
    many = [weakness(f"CVE-2026-{n}", severity="LOW") for n in range(MAX_FINDINGS + 5)]
    unfixed = weakness("CVE-A", severity="CRITICAL", fixed="")
    report = read(trivy(trivy_pip(*many, unfixed, weakness("CVE-B", severity="CRITICAL"))))
    assert [one.id for one in report.vulnerabilities[:2]] == ["CVE-B", "CVE-A"]
    assert (len(report.vulnerabilities), report.omitted) == (MAX_FINDINGS, 7)
    assert len(quote_scan(report).lines) < 40


def test_trivy_of_an_image_names_image_and_system_packages() -> None:
    result = {"Target": "shop:1 (debian 12)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [weakness()]}
    image = trivy(result, ArtifactType="container_image", ArtifactName="shop:1", Metadata={"RepoTags": ["acme/shop:1"]})
    found = read(image).vulnerabilities[0]
    assert (found.ecosystem, found.image, found.file) == (Ecosystem.OS, "acme/shop:1", None)
    assert found.say() == "CVE-2026-1 HIGH flask 1.0 in acme/shop:1: fixed in 1.1"


def test_trivy_before_its_schema_had_a_number() -> None:
    old = [
        {"Target": "alpine:3.10 (alpine 3.10.2)", "Type": "alpine", "Vulnerabilities": [weakness()]},
        {"Target": "app/package-lock.json", "Type": "npm", "Vulnerabilities": None},
    ]
    report = read(old)
    assert (report.scanner, report.vulnerabilities[0].ecosystem) == (Scanner.TRIVY, Ecosystem.OS)
    assert report.complete


def test_trivy_of_a_cluster_names_the_workload_and_what_was_not_scanned() -> None:
    resources = [
        {"Namespace": "shop", "Kind": "Pod", "Name": "web", "Results": [trivy_pip(weakness(), target="app/METADATA")]},
        {"Namespace": "shop", "Kind": "Pod", "Name": "db", "Error": "unauthorized"},
    ]
    report = read({"ClusterName": "prod", "Resources": resources})
    assert report.vulnerabilities[0].file == "shop/Pod/web: app/METADATA"
    assert report.gaps == ("shop/Pod/db was not scanned: unauthorized",)


def test_trivy_misconfigurations_that_pass_and_licences() -> None:
    checks = [{"ID": "DS-1", "Status": "PASS"}, {"ID": "DS-2", "Status": "FAIL", "Severity": "LOW", "Title": "Root"}]
    licenses = [{"Severity": "HIGH", "Category": "restricted", "PkgName": "gpl", "Name": "GPL-3.0"}]
    report = read(trivy({"Target": "Dockerfile", "Class": "config", "Misconfigurations": checks, "Licenses": licenses}))
    assert [(one.rule, one.kind) for one in report.misconfigurations] == [
        ("license:GPL-3.0", BreachKind.LICENSE),
        ("DS-2", BreachKind.CONFIGURATION),
    ]


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("1.2.5, 2.0.2", ("1.2.5", "2.0.2")),
        ("~> 2.0.1, >= 2.1", ("2.0.1", "2.1")),
        ("<3, !=2, >=2.5", ("2.5",)),
        ("", ()),
    ],
)
def test_lists_of_fixed_versions(text: str, versions: tuple[str, ...]) -> None:
    assert read(trivy(trivy_pip(weakness(fixed=text)))).vulnerabilities[0].fixed == versions


def test_snyk_says_which_direct_dependency_to_upgrade() -> None:
    found = read(snyk(snyk_weakness())).vulnerabilities[0]
    assert found.upgrade is not None
    assert (found.upgrade.package, found.upgrade.installed, found.upgrade.to) == ("debug", "2.2.0", "2.6.9")
    assert found.ecosystem is Ecosystem.NPM
    rebuilt = snyk_weakness(**{"from": ["shop@1", "debug@2.2.0", "ms@0.7.0"], "upgradePath": [False, "debug@2.2.0"]})
    assert read(snyk(rebuilt)).vulnerabilities[0].upgrade is None


def test_snyk_remediation_comes_before_the_path() -> None:
    remediation = {
        "upgrade": {"@acme/debug@2.2.0": {"upgradeTo": "@acme/debug@2.6.9", "vulns": ["SNYK-JS-MS-1"]}},
        "pin": {"a@1": {"upgradeTo": "b@2", "vulns": ["SNYK-X"]}},
    }
    found = read(snyk(snyk_weakness(), remediation=remediation)).vulnerabilities[0]
    assert found.upgrade is not None
    assert (found.upgrade.package, found.upgrade.to) == ("@acme/debug", "2.6.9")


def test_snyk_projects_become_one_report_and_paths_one_finding() -> None:
    again = snyk_weakness(**{"from": ["shop@1", "ms@0.7.0"], "upgradePath": []})
    report = read([snyk(again, snyk_weakness()), snyk(snyk_weakness(), displayTargetFile="web/package.json")])
    assert [(one.file, one.upgrade is not None) for one in report.vulnerabilities] == [
        ("package.json", True),
        ("web/package.json", True),
    ]


def test_snyk_container_with_its_base_image() -> None:
    advice = [
        {"message": "Base Image    Vulnerabilities  Severity\nnode:14.1.0   643              24 critical"},
        {"message": "Recommendations for base image upgrade:\n", "bold": True},
        {"message": "Alternative image types", "bold": True},
        {"message": "Base Image        Vulnerabilities  Severity\nnode:20-slim      30        0 critical"},
        {"message": "Minor upgrades", "bold": True},
        {"message": "Base Image     Vulnerabilities  Severity\nnode:14.21.3   300              2 critical"},
        {"message": "Major upgrades", "bold": True},
        {"message": "Base Image  Vulnerabilities  Severity\nnode:20.1   100    0 critical"},
    ]
    docker = {"baseImage": "node:14.1.0", "baseImageRemediation": {"code": "REMEDIATION_AVAILABLE", "advice": advice}}
    weak = snyk_weakness(name="openssl/libssl1.1", nearestFixedInVersion="1.1.1n-0", fixedIn=None, upgradePath=[])
    inner = snyk(snyk_weakness(), displayTargetFile="/app/package.json")
    report = read(snyk(weak, packageManager="deb", docker=docker, path="acme/shop:1", applications=[inner]))
    assert report.base is not None
    assert [(one.image, one.step) for one in report.base.upgrades] == [
        ("node:14.21.3", UpgradeStep.MINOR),
        ("node:20.1", UpgradeStep.MAJOR),
        ("node:20-slim", UpgradeStep.ALTERNATIVE),
    ]
    places = {(one.package, one.ecosystem, one.image, one.file) for one in report.vulnerabilities}
    assert places == {
        ("openssl/libssl1.1", Ecosystem.OS, "acme/shop:1", None),
        ("ms", Ecosystem.NPM, None, "/app/package.json"),
    }


def test_snyk_licences_and_infrastructure_are_breaches_and_ignored_ones_nothing() -> None:
    licence = snyk_weakness(id="snyk:lic:npm:gpl:GPL-3.0", type="license", title="GPL-3.0 license")
    issue = {"id": "SNYK-CC-1", "severity": "high", "title": "Open to the world", "lineNumber": 5}
    report = read(
        [
            snyk(licence, snyk_weakness(isIgnored=True)),
            snyk(infrastructureAsCodeIssues=[issue, {**issue, "id": "X", "isIgnored": True}], displayTargetFile="a.tf"),
        ]
    )
    assert [(one.kind, one.file, one.line) for one in report.misconfigurations] == [
        (BreachKind.CONFIGURATION, "a.tf", 5),
        (BreachKind.LICENSE, "package.json", None),
    ]
    assert report.vulnerabilities == ()


def test_sarif_leaves_out_what_passed_or_was_accepted() -> None:
    rows = [{"ruleId": "R1", "kind": "pass"}, {"ruleId": "R2", "suppressions": [{"kind": "inSource"}]}]
    assert read(sarif(*rows, {"ruleId": "R3", "baselineState": "absent"}, tool="semgrep")).clean


def test_sarif_of_snyk_names_package_and_fix() -> None:
    rule = {
        "id": "SNYK-JS-LODASH-1",
        "shortDescription": {"text": "High severity - Prototype Pollution vulnerability in lodash"},
        "help": {"markdown": "## Remediation\nUpgrade `lodash` to version 4.17.21 or higher.\n"},
        "properties": {"tags": ["security", "npm"], "security-severity": "7.4"},
    }
    result = {
        "ruleId": "SNYK-JS-LODASH-1",
        "level": "error",
        "message": {"text": "This file introduces a vulnerable lodash package with a high severity vulnerability."},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": "package.json"}, "region": {"startLine": 1}},
                "logicalLocations": [{"fullyQualifiedName": "lodash@4.17.15"}],
            }
        ],
        "fixes": [{"description": {"text": "Upgrade to express@4.18.2"}}],
    }
    report = read(sarif(result, tool="Snyk Open Source", rules=(rule,)))
    found = report.vulnerabilities[0]
    assert (report.scanner, found.package, found.installed, found.fixed) == (
        Scanner.SNYK,
        "lodash",
        "4.17.15",
        ("4.17.21",),
    )
    assert (found.severity, found.ecosystem, found.file) == (ScanSeverity.HIGH, Ecosystem.NPM, "package.json")
    assert found.upgrade is not None
    assert (found.upgrade.package, found.upgrade.to) == ("express", "4.18.2")


@pytest.mark.parametrize(
    ("score", "severity"),
    [("9.8", ScanSeverity.CRITICAL), (7.0, ScanSeverity.HIGH), ("x", ScanSeverity.HIGH), (True, ScanSeverity.HIGH)],
)
def test_sarif_severity_comes_from_the_score_and_then_the_level(score: object, severity: ScanSeverity) -> None:
    rule = {"id": "js/sqli", "properties": {"security-severity": score}}
    report = read(sarif({"ruleId": "js/sqli", "level": "error"}, tool="CodeQL", rules=(rule,)))
    assert (report.misconfigurations[0].severity, report.misconfigurations[0].kind) == (severity, BreachKind.CODE)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_reports_written_by_a_windows_shell_are_read(encoding: str) -> None:
    raw = json.dumps(trivy(trivy_pip(weakness()))).encode(encoding)
    assert parse_scan(raw, source="scan.json").vulnerabilities[0].package == "flask"


def test_reports_join_evidence_that_is_there_already() -> None:
    reports = (read(trivy(trivy_pip(weakness()))), read(snyk()))
    before = Evidence(lines=(EvidenceLine(id="E1", source="log:a", text="it failed"),))
    joined = with_scans(before, reports)
    assert [(line.id, line.source) for line in joined.lines] == [("E1", "log:a"), ("E2", "scan:scan.json")]
    assert joined.scans == reports


def test_quotes_are_numbered_with_those_of_the_logs() -> None:
    scan = quote_scan(read(trivy(trivy_pip(weakness()))))
    lines = number_evidence([scan, scan])
    assert [(line.id, line.source) for line in lines] == [("E1", "scan:scan.json"), ("E2", "scan:scan.json")]
    assert quote_scan(read(trivy(trivy_pip()))).lines == ()
