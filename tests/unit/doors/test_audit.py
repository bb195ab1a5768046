"""`healflow audit`: a broken trail is exit code 1, and the export is the trail."""

import json
from pathlib import Path

from typer.testing import CliRunner

from deployments.cli.app import app
from tasks.domain.approval import Answer
from tests.unit.approve.asking import Asked
from tests.unit.approve.test_audit import tamper


def test_broken_trail_is_said_with_its_place(tmp_path: Path) -> None:
    Asked(tmp_path / "home").say(Answer.APPROVE)
    tamper(f"sqlite:///{tmp_path / 'home' / 'ledger.db'}", "UPDATE audit SET actor = 'ada' WHERE sequence = 2")
    told = CliRunner().invoke(app, ["audit", "verify"])
    assert told.exit_code == 1
    assert "broken: entry 2 (answer.recorded of inc-" in told.output


def test_whole_trail_gives_an_anchor_that_holds_and_another_does_not(tmp_path: Path) -> None:
    Asked(tmp_path / "home").say(Answer.APPROVE)
    told = CliRunner().invoke(app, ["audit", "verify"])
    assert told.exit_code == 0
    anchor = told.output.rsplit(" ", 1)[1].strip()
    assert CliRunner().invoke(app, ["audit", "verify", "--anchor", anchor]).exit_code == 0
    assert CliRunner().invoke(app, ["audit", "verify", "--anchor", "2:" + "0" * 64]).exit_code == 1
    assert CliRunner().invoke(app, ["audit", "verify", "--anchor", "nonsense"]).exit_code == 1


def test_export_is_one_json_object_a_line_in_order(tmp_path: Path) -> None:
    Asked(tmp_path / "home").say(Answer.REJECT, reason="two\nlines")
    lines = CliRunner().invoke(app, ["audit", "export"]).output.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [1, 2]
    assert json.loads(json.loads(lines[1])["document"])["reason"] == "two\nlines"
