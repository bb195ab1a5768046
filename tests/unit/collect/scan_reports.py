"""Small reports as the scanners write them, for the tests of reading and of explaining them."""

import json
from typing import Any

from tasks.collect.scans import parse_scan
from tasks.domain.vulnerability import ScanReport


def read(document: object, *, exit_code: int | None = None) -> ScanReport:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse_scan(raw, source="scan.json", exit_code=exit_code)


def trivy(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"SchemaVersion": 2, "ArtifactName": ".", "ArtifactType": "repository", "Results": list(results), **more}


def trivy_pip(*vulnerabilities: dict[str, Any], target: str = "requirements.txt") -> dict[str, Any]:
    return {"Target": target, "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": list(vulnerabilities)}


def weakness(
    id_: str = "CVE-2026-1", package: str = "flask", installed: str = "1.0", fixed: str = "1.1", severity: str = "HIGH"
) -> dict[str, Any]:
    return {
        "VulnerabilityID": id_,
        "PkgName": package,
        "InstalledVersion": installed,
        "FixedVersion": fixed,
        "Severity": severity,
    }


def snyk(*vulnerabilities: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "ok": not vulnerabilities,
        "dependencyCount": 7,
        "packageManager": "npm",
        "projectName": "shop",
        "displayTargetFile": "package.json",
        "vulnerabilities": list(vulnerabilities),
        **more,
    }


def snyk_weakness(**more: Any) -> dict[str, Any]:
    return {
        "id": "SNYK-JS-MS-1",
        "name": "ms",
        "version": "0.7.0",
        "severity": "medium",
        "title": "Slow pattern",
        "fixedIn": ["0.7.1", "2.0.0"],
        "from": ["shop@1.0.0", "debug@2.2.0", "ms@0.7.0"],
        "upgradePath": [False, "debug@2.6.9", "ms@2.0.0"],
        **more,
    }


def sarif(*results: dict[str, Any], tool: str = "Trivy", rules: tuple[dict[str, Any], ...] = (), **more: Any) -> Any:
    run = {"tool": {"driver": {"name": tool, "rules": list(rules)}}, "results": list(results), **more}
    return {"version": "2.1.0", "runs": [run]}
