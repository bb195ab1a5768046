"""`healflow triage` on files and standard input: four styles, honest about nothing, clear about what it cannot read."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app
from tasks.errors import BadInputError

ROOT = Path(__file__).parents[3]
LOG = """2026-05-04T10:00:00.0000000Z ##[group]Run pytest
2026-05-04T10:00:00.0000000Z ##[endgroup]
2026-05-04T10:00:01.0000000Z tests/test_cart.py F
2026-05-04T10:00:01.0000000Z FAILED tests/test_cart.py::test_total - AssertionError: <b>assert 3 == 4</b>
2026-05-04T10:00:02.0000000Z ##[error]Process completed with exit code 1.
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "build log.txt"
    path.write_text("\ufeff" + LOG)
    return path


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["triage", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("name", ["absent.log", "."])
def test_what_cannot_be_read_says_what_to_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError, match="name a log file"):
        CliRunner().invoke(app, ["triage", str(tmp_path / name)], catch_exceptions=False)


def test_two_styles_at_once_are_refused(log: Path) -> None:
    assert CliRunner().invoke(app, ["triage", str(log), "--json", "--sarif"]).exit_code == 2


def test_binary_noise_is_unknown(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(bytes(range(256)) * 4000)
    assert json.loads(told(str(noise), "--json"))["diagnosis"]["failure_class"] == "unknown"


def test_passing_log_has_no_failure(tmp_path: Path) -> None:
    passing = tmp_path / "ok.log"
    passing.write_text("ERROR: Connection refused, retrying\nAll good\nFinished: SUCCESS\n")
    assert "No failure" in told(str(passing))
    assert "No failure" in told(str(passing), "--markdown")
    assert json.loads(told(str(passing), "--sarif"))["runs"][0]["results"] == []


def test_text_names_cause_quote_and_what_to_do(log: Path) -> None:
    said = told(str(log))
    assert "ci.test.assert" in said
    assert "build log.txt:4" in " ".join(said.split())
    assert "next: Compare the failing test" in said


def test_json_quotes_by_id(log: Path) -> None:
    found = json.loads(told(str(log), "--json"))
    by_id = {line["id"]: line["line_number"] for line in found["evidence"]["lines"]}
    assert [by_id[i] for i in found["diagnosis"]["evidence_ids"]] == [4]


def test_markdown_holds_outside_text_in_blocks(log: Path) -> None:
    said = told(str(log), "--markdown")
    assert said.startswith("## Diagnosis")
    outside = said.split("```")[0::2]
    assert all("<b>" not in part for part in outside)


def test_sarif_points_at_the_test_and_at_the_log(log: Path) -> None:
    (run,) = json.loads(told(str(log), "--sarif"))["runs"]
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("ci.test.assert", "error")
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tests/test_cart.py"
    assert first["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 4
    assert {"id": "ci.test.assert"} in run["tool"]["driver"]["rules"]


def test_all_documents_are_saved_beside_what_is_printed(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    assert "ci.test.assert" in told(str(log), "--save", str(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["triage.json", "triage.md", "triage.sarif"]
    assert json.loads((folder / "triage.json").read_text())["diagnosis"]["failure_class"] == "ci.test.assert"


def test_folder_that_cannot_be_written_is_said(log: Path) -> None:
    with pytest.raises(BadInputError, match="name another folder"):
        CliRunner().invoke(app, ["triage", str(log), "--save", str(log / "x")], catch_exceptions=False)


def test_packed_log_comes_through_a_pipe(log: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.main", "triage", "-", "--json"],
        cwd=ROOT,
        env=dict(os.environ),
        input=gzip.compress(log.read_bytes()),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["diagnosis"]["failure_class"] == "ci.test.assert"


TRIVY = {
    "SchemaVersion": 2,
    "ArtifactName": "shop",
    "Results": [
        {
            "Target": "requirements.txt",
            "Class": "lang-pkgs",
            "Type": "pip",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-1",
                    "PkgName": "flask",
                    "InstalledVersion": "1.0",
                    "FixedVersion": "1.1",
                    "Severity": "HIGH",
                }
            ],
        }
    ],
}


def test_a_damaged_report_is_refused_and_not_read_as_a_log(tmp_path: Path) -> None:
    path = tmp_path / "trivy.json"
    path.write_text(json.dumps(TRIVY)[:-9])
    with pytest.raises(BadInputError, match="is no JSON"):
        CliRunner().invoke(app, ["triage", str(path)], catch_exceptions=False)


def test_an_unfinished_scan_has_not_passed(tmp_path: Path) -> None:
    path = tmp_path / "snyk.json"
    path.write_text('{\n  "ok": false,\n  "error": "socket hang up",\n  "path": "."\n}\n')
    found = json.loads(told(str(path), "--json"))
    assert (found["passed"], found["diagnosis"]["failure_class"]) == (False, "sec.snyk")
    assert found["diagnosis"]["transient"]


def test_a_log_of_json_lines_stays_a_log(tmp_path: Path) -> None:
    path = tmp_path / "app.json"
    path.write_text(
        '{"level": "error", "error": "tar: write error: No space left on device", "runs": 3}\n{"level": "info"}\n'
    )
    assert json.loads(told(str(path), "--json"))["diagnosis"]["failure_class"] == "ci.disk"


@pytest.mark.parametrize("packed", [False, True])
def test_a_scanners_report_is_explained(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "trivy.json"
    raw = json.dumps(TRIVY, indent=2).encode()
    path.write_bytes(gzip.compress(raw) if packed else raw)
    said = " ".join(told(str(path)).split())
    assert "sec.trivy" in said
    assert "fixed in 1.1" in said
    found = json.loads(told(str(path), "--sarif"))
    assert found["runs"][0]["results"][0]["ruleId"] == "sec.trivy"


def test_a_clean_report_has_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "trivy.json"
    path.write_text(json.dumps({**TRIVY, "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "Type": "gomod"}]}))
    assert "No failure" in told(str(path))
