"""`healflow eval` on cases made here: what counts as right, as a hit, as a false alarm, and what is left out."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app
from deployments.cli.evaluate import read_labels
from flows.evaluate import read_cases
from tasks.errors import BadInputError

DISK = "step one\nstep two\nwrite failed: No space left on device\n##[error]Process completed with exit code 1.\n"


def write(folder: Path, *cases: dict[str, Any]) -> Path:
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    return folder


def measured(folder: Path, *options: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["eval", str(folder), "--json", *options])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_right_class_and_line_are_counted_from_a_packed_log(tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(DISK.encode()))
    write(
        tmp_path,
        {"id": "a", "ecosystem": "plain", "failure_class": "ci.disk", "full_log": "a.log.gz", "gold_ranges": [[3, 3]]},
    )
    found = measured(tmp_path)
    assert found["all"]["top1"] == {"count": 1, "of": 1}
    assert found["all"]["cited"] == {"count": 1, "of": 1}
    assert found["by_source"]["plain"]["cases"] == 1
    assert found["cases"][0]["bytes_read"] == len(DISK)


def test_wrong_class_and_missed_line_are_confusions(tmp_path: Path) -> None:
    write(tmp_path, {"id": "a", "failure_class": "full_disk", "log_text": DISK, "gold_lines": ["something else"]})
    (tmp_path / "labels.yaml").write_text("full_disk: [ci.oom]\n")
    found = measured(tmp_path, "--labels", str(tmp_path / "labels.yaml"))
    assert found["all"]["top1"] == {"count": 0, "of": 1}
    assert found["all"]["quoted"] == {"count": 0, "of": 1}
    assert found["confusions"] == [{"label": "full_disk", "found": "ci.disk", "count": 1}]


def test_label_outside_the_catalogue_is_not_scored(tmp_path: Path) -> None:
    write(tmp_path, {"id": "a", "failure_class": "bad_mood", "log_text": "all is well\n"})
    found = measured(tmp_path)
    assert found["all"]["top1"] == {"count": 0, "of": 0}
    assert found["all"]["unknown"] == {"count": 1, "of": 1}


@pytest.mark.parametrize(("log", "alarms"), [("building\nJob succeeded\n", 0), (DISK, 1)])
def test_diagnosis_of_a_passing_log_is_a_false_alarm(tmp_path: Path, log: str, alarms: int) -> None:
    (tmp_path / "green.log").write_text(log)
    write(tmp_path, {"id": "a", "failure_class": "ci.disk", "log_text": DISK, "passing_log": "green.log"})
    assert measured(tmp_path)["all"]["false_alarms"] == {"count": alarms, "of": 1}


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"id": "a"}, "no log"),
        ({"id": "a", "full_log": "../secret"}, "outside"),
        ({"id": "a", "full_log": "absent.gz"}, "cannot be read"),
        ({"id": "a", "full_log": "folder"}, "cluster state"),
    ],
)
def test_unreadable_case_is_left_out_with_its_reason(tmp_path: Path, case: dict[str, Any], reason: str) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path, case)
    found = measured(tmp_path)
    assert reason in found["left_out"]["a"]
    assert found["cases"] == []


def test_tables_are_printed_for_people(tmp_path: Path) -> None:
    write(tmp_path, {"id": "a", "failure_class": "ci.oom", "log_text": DISK})
    done = CliRunner().invoke(app, ["eval", str(tmp_path)], env={"COLUMNS": "160"})
    assert "0/1 0%" in done.stdout
    assert "ci.oom was called ci.disk" in done.stdout


def test_bad_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no cases here"):
        read_cases(tmp_path)
    (tmp_path / "cases.jsonl").write_text("{}\n")
    with pytest.raises(BadInputError, match=r"cases\.jsonl:1: this is no case"):
        read_cases(tmp_path)
    (tmp_path / "labels.yaml").write_text("x: [ci.nonsense]\n")
    with pytest.raises(BadInputError, match="no table of labels"):
        read_labels(tmp_path / "labels.yaml")
