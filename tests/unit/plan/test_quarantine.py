"""Only a test that history proves flaky is put into quarantine, for a time, with an owner, and after a re-run."""

import ast
import datetime
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.domain.diagnosis import Culprit, CulpritKind
from tasks.domain.evidence import TestHistory as History
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Plan, Remedy
from tasks.plan.case import Unfit
from tasks.plan.owners import _owners
from tasks.plan.skipping import skip_in_go, skip_in_python
from tests.unit.plan.conftest import Scene

TOMORROW = datetime.datetime.now(tz=datetime.UTC).date() + datetime.timedelta(days=1)
YESTERDAY = TOMORROW - datetime.timedelta(days=2)
SOURCE = '"""Tests."""\n\nfrom __future__ import annotations\n\nimport random\n\n\ndef test_total():\n    assert random.random() < 0\n'
FLAKY = History(passed_on_same_commit=2, failed_on_same_commit=1)
TEST = Culprit(kind=CulpritKind.TEST, name="tests/test_cart.py::test_total", file="tests/test_cart.py")
Draft = Callable[..., Plan]


@pytest.fixture
def draft(scene: Scene) -> Draft:
    def build(
        *,
        files: dict[str, str] | None = None,
        culprit: Culprit | None = TEST,
        history: History = FLAKY,
        reruns: int = 1,
    ) -> Plan:
        scene.commit("Test it", files or {"tests/test_cart.py": SOURCE})
        return scene.draft(
            FailureClass.CI_TEST_FLAKY,
            "FAILED tests/test_cart.py::test_total",
            culprit=culprit,
            history=history,
            reruns_so_far=reruns,
        )

    return build


def test_test_that_history_does_not_prove_flaky_is_left_alone(draft: Draft) -> None:
    plan = draft(history=History())
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert "history does not prove" in plan.rationale


def test_rerun_comes_first(draft: Draft) -> None:
    assert draft(reruns=0).actions[0].name == Remedy.RERUN_FAILED_JOBS


@pytest.mark.parametrize(
    ("files", "culprit", "why"),
    [
        ({"tests/test_cart.py": "def test_other(): pass\n"}, TEST, "no test test_total"),
        ({"tests/test_cart.py": "def broken(:\n"}, TEST, "no Python"),
        ({"a.txt": "x"}, TEST, "not in the repository"),
        ({"a.txt": "x"}, None, "no single test"),
        ({"a.rb": "x"}, Culprit(kind=CulpritKind.TEST, name="a", file="a.rb"), "only for pytest"),
        (
            {"a_test.go": "package a\n", "b_test.go": "package b\n"},
            Culprit(kind=CulpritKind.TEST, name="TestX"),
            "0 files",
        ),
    ],
)
def test_what_cannot_be_marked_is_reported(draft: Draft, files: dict[str, str], culprit: Culprit, why: str) -> None:
    plan = draft(files=files, culprit=culprit)
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    assert why in plan.rationale


def test_flaky_test_is_skipped_for_two_weeks_with_an_owner(draft: Draft) -> None:
    plan = draft(files={"tests/test_cart.py": SOURCE, "CODEOWNERS": "* @all\ntests/ @acme/testers\n"})
    (action,) = plan.actions
    assert action.name == Remedy.QUARANTINE_TEST
    assert action.parameters["owner"] == "@acme/testers"
    assert action.parameters["until"] == "2026-01-15"
    assert "+    datetime.date.today() < datetime.date(2026, 1, 15)," in action.preview


def test_without_code_owners_the_last_author_owns_it(draft: Draft) -> None:
    assert draft().actions[0].parameters["owner"] == "Ada"


def outcome(folder: Path, source: str) -> str:
    (folder / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_it.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.splitlines()[-1]


UNITTEST = "import unittest\n\nclass Cart(unittest.TestCase):\n    @staticmethod\n    def helper(): ...\n\n    def test_total(self):\n        self.fail()\n"
CLASS = "class TestCart:\n    @__import__('pytest').mark.parametrize('n', [1])\n    def test_total(self, n):\n        assert 0\n"


@pytest.mark.parametrize(
    ("source", "test"), [(SOURCE, "test_total"), (UNITTEST, "Cart::test_total"), (CLASS, "TestCart::test_total[1]")]
)
def test_mark_holds_until_the_day_and_ends_by_itself(tmp_path: Path, source: str, test: str) -> None:
    assert "1 failed" in outcome(tmp_path, source)
    held = skip_in_python(source, test, until=TOMORROW, reason='no "quotes" \\ or\nlines')
    assert "1 skipped" in outcome(tmp_path, held)
    assert "1 failed" in outcome(tmp_path, skip_in_python(source, test, until=YESTERDAY, reason="over"))


def test_imports_that_are_there_are_not_doubled_and_the_future_stays_first() -> None:
    held = skip_in_python(
        "import datetime\nimport pytest\n" + SOURCE.split("annotations\n")[1], "test_total", until=TOMORROW, reason="r"
    )
    assert held.count("import datetime\n") == held.count("import pytest\n") == 1
    tree = ast.parse(skip_in_python(SOURCE, "test_total", until=TOMORROW, reason="r"))
    assert isinstance(tree.body[1], ast.ImportFrom)


GO = 'package cart\n\nimport (\n\t"testing"\n)\n\nfunc TestTotal(t *testing.T) {\n\tt.Fatal("x")\n}\n'


def test_go_test_is_skipped_in_its_first_lines() -> None:
    held = skip_in_go(GO, "TestTotal/with_tax", until=datetime.date(2026, 1, 15), reason="flaky")
    assert held.startswith('package cart\n\nimport "time"\n')
    body = held.partition("func TestTotal")[2]
    assert body.index("time.Date(2026, 1, 15") < body.index('t.Skip("flaky")') < body.index("t.Fatal")
    again = skip_in_go(GO.replace('"testing"', '"testing"\n\t"time"'), "TestTotal", until=TOMORROW, reason="r")
    assert again.count('"time"') == 1


@pytest.mark.parametrize(
    "source", [GO.replace("TestTotal", "TestOther"), GO.replace('"testing"', '"testing"\n\tclock "time"')]
)
def test_go_file_that_is_not_understood_is_left_alone(source: str) -> None:
    with pytest.raises(Unfit):
        skip_in_go(source, "TestTotal", until=TOMORROW, reason="r")


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("", []),
        ("* @a\n", ["@a"]),
        ("*.py @a\n/src/ @b\n", ["@a"]),
        ("* @a\ntests/ @b ada@example.com # c\n", ["@b", "ada@example.com"]),
        ("* @a\n/tests/unit/ @b\n", ["@b"]),
        ("* @a\ntests/* @b\n", ["@a"]),
        ("* @a\n**/unit @b\n", ["@b"]),
        ("* @a\ntests/unit/test_cart.py\n", []),
    ],
)
def test_last_matching_line_of_code_owners_decides(text: str, owners: list[str]) -> None:
    assert _owners(text, "tests/unit/test_cart.py") == owners
