"""Real reports, and random damage to valid ones: a report or a refusal comes out, and nothing else."""

import copy
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tasks.collect.scans import parse_scan, quote_scan
from tasks.domain.vulnerability import Scanner
from tasks.errors import BadInputError
from tests.unit.collect.scan_reports import sarif, snyk, snyk_weakness, trivy, trivy_pip, weakness

PROJECT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("HEALFLOW_SHARED_DATA", PROJECT.parent / "shared" / "data"))
REPORTS = sorted(file for tool in ("trivy", "snyk") for file in (DATA / tool).glob("*.json"))
JUNK: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1.5,
    float("nan"),
    "",
    "x" * 5000,
    "\x00\ud800",
    [],
    [None],
    [[]],
    {},
    {"id": 1},
]


@pytest.mark.skipif(not REPORTS, reason="the example reports are not here: set HEALFLOW_SHARED_DATA")
def test_every_real_report_is_read_and_has_findings() -> None:
    reports = [parse_scan(file.read_bytes(), source=file.name) for file in REPORTS]
    assert len(reports) >= 17
    for file, report in zip(REPORTS, reports, strict=True):
        found = len(report.vulnerabilities) + len(report.misconfigurations) + len(report.secrets)
        assert found, file.name
        assert report.scanner == Scanner(file.parent.name)
        assert not [gap for gap in report.gaps if "cannot be read" in gap]
        assert len(quote_scan(report).lines) >= 1


@pytest.mark.skipif(not REPORTS, reason="the example reports are not here: set HEALFLOW_SHARED_DATA")
def test_a_real_report_that_was_cut_is_never_clean() -> None:
    for file in REPORTS:
        raw = file.read_bytes()
        for part in (1, len(raw) // 3, len(raw) - 2):
            with pytest.raises(BadInputError):
                parse_scan(raw[:part].rstrip(), source=file.name)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))][(0 if path else 1) :]


def test_random_damage_gives_a_report_or_a_refusal() -> None:
    chance = random.Random(7)
    docker = {"baseImage": "node:1", "baseImageRemediation": {"advice": [{"message": "Minor upgrades\nnode:2  1 2"}]}}
    secret = {"Target": "a", "Class": "secret", "Secrets": [{"RuleID": "x", "StartLine": 1}]}
    result = {"ruleId": "CVE-1", "ruleIndex": 0, "message": {"text": "Package: a\nInstalled Version: 1"}}
    valid: list[Any] = [
        trivy(trivy_pip(weakness()), secret, Metadata={"OS": {"Family": "x", "EOSL": False}, "RepoTags": ["a"]}),
        [snyk(snyk_weakness(identifiers={"CVE": ["CVE-1"]}), docker=docker, remediation={"upgrade": {}})],
        sarif(result, rules=({"id": "CVE-1", "name": "OsPackageVulnerability", "properties": {"tags": ["x"]}},)),
    ]
    outcomes = {"report": 0, "refused": 0}
    for document in valid:
        for place in _places(document):
            damaged = copy.deepcopy(document)
            holder = damaged
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = chance.choice(JUNK)
            try:
                report = parse_scan(json.dumps(damaged).encode(), source="scan.json")
            except BadInputError:
                outcomes["refused"] += 1
                continue
            outcomes["report"] += 1
            report.model_dump_json().encode()
            assert quote_scan(report).source == "scan:scan.json"
    assert min(outcomes.values()) > 0
