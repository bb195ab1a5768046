"""`healflow run -- CMD`: the exit code is the command's own, its output untouched, and a failure is explained."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.clients.pipeline.conftest import Finder

ROOT = Path(__file__).parents[4]
FAILING = (
    "print('collected 1 item'); print('FAILED tests/test_cart.py::test_total - assert 3 == 4'); raise SystemExit(7)"
)


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "HEALFLOW_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return subprocess.Popen(
        [sys.executable, "-m", "deployments.main", "run", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_command_that_is_not_there_is_127_and_explained(tmp_path: Path) -> None:
    code, _, err = run(tmp_path, "--", "no-such-tool-here", "--flag")
    assert code == 127
    assert "ci.command" in err
    assert "no-such-tool-here" in err


def test_passing_command_is_left_alone(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--", "printf", "one\\ntwo\\n")
    assert (code, out, err) == (0, "one\ntwo\n", "")


def test_failing_command_keeps_its_code_and_output_and_is_explained(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--", sys.executable, "-c", FAILING)
    assert code == 7
    assert out.splitlines() == ["collected 1 item", "FAILED tests/test_cart.py::test_total - assert 3 == 4"]
    assert "ci.test.assert" in err
    assert "tests/test_cart.py::test_total" in err


def test_explanation_as_json(tmp_path: Path) -> None:
    code, _, err = run(tmp_path, "--json", "--", sys.executable, "-c", FAILING)
    assert code == 7
    told = json.loads(err)
    assert told["diagnosis"]["failure_class"] == "ci.test.assert"
    ids = {line["id"] for line in told["evidence"]["lines"]}
    assert set(told["diagnosis"]["evidence_ids"]) <= ids


def test_arguments_are_never_given_to_a_shell(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, "--", "echo", "$(touch pwned); `id` > x")
    assert (code, out) == (0, "$(touch pwned); `id` > x\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_interruption_ends_the_command_and_all_it_started(tmp_path: Path, processes_with: Finder) -> None:
    mark = f"9{time.time_ns() % 10**8}"
    process = start(tmp_path, "--", "sh", "-c", f"sleep {mark} & sleep {mark}")
    deadline = time.monotonic() + 20
    while len(processes_with(mark)) < 3 and time.monotonic() < deadline:
        signal.sigtimedwait([], 0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert [pid for pid in processes_with(mark) if pid != process.pid] == []


@pytest.mark.parametrize("arguments", [(), ("--",)])
def test_no_command_says_how_to_name_one(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, _, err = run(tmp_path, *arguments)
    assert code == 2
    assert "--" in err
