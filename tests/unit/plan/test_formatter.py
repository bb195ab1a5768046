"""The formatter that failed is run, that one alone, and only format may change."""

import shutil

import pytest

from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Plan, Remedy
from tasks.plan.case import invocations
from tasks.plan.format_only import says_the_same
from tests.unit.plan.conftest import Scene

UGLY = "def f( x ):\n    return x\n"


def _lint(scene: Scene, command: str, *lines: str) -> Plan:
    return scene.draft(FailureClass.CI_LINT, *lines, command=command)


def _reported(plan: Plan) -> str:
    assert plan.actions[0].name == Remedy.REPORT_ONLY
    return plan.rationale


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "x = 2\n"),
        ("import a\n", "import b\n"),
        ("import a, b\n", "import a\n"),
        ("x = 'a'\n", "x = 'a '\n"),
        ("assert x\n", "\n"),
        ("x = (\n", "x = 1\n"),
        ("def f():\n    'a'\n", "def f():\n    'b'\n"),
    ],
)
def test_this_is_more_than_format(before: str, after: str) -> None:
    assert not says_the_same(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x=1 # one\n", "x = 1  # one\n"),
        ("import b\nimport a\n", "import a\nimport b\n"),
        ("x = 'a' 'b'\n", 'x = "ab"\n'),
        ("def f():\n    ''' a \n      b'''\n", 'def f():\n    """a\n    b"""\n'),
    ],
)
def test_this_is_format_only(before: str, after: str) -> None:
    assert says_the_same(before, after)


def test_the_failed_formatter_is_run_with_the_jobs_arguments(scene: Scene) -> None:
    scene.commit("Ugly", {"shop/a.py": UGLY, "other/b.py": UGLY})
    command = "uv run ruff format --check --line-length 100 shop"
    action = _lint(scene, command, "Would reformat: shop/a.py", "1 file would be reformatted").actions[0]
    assert action.name == Remedy.RUN_FORMATTER
    assert action.parameters["tool"] == "ruff format"
    assert "+def f(x):\n" in action.preview
    assert "other/b.py" not in action.preview
    assert action.summary == "Run ruff format on shop/a.py"


def test_a_target_only_the_shell_knows_is_replaced_by_the_named_files(scene: Scene) -> None:
    scene.commit("Ugly", {"a.py": UGLY, "b.py": UGLY})
    action = _lint(scene, 'ruff format --check $(touch pwned) "$FILES"', "Would reformat: a.py").actions[0]
    assert action.name == Remedy.RUN_FORMATTER
    assert "b.py" not in action.preview
    assert not list(scene.root.parent.rglob("pwned"))


def test_a_formatter_behind_make_is_known_by_its_words(scene: Scene) -> None:
    scene.commit("Ugly", {"a.py": UGLY})
    assert _lint(scene, "make lint", "Would reformat: a.py").actions[0].name == Remedy.RUN_FORMATTER


def test_the_words_of_newer_ruff_are_known_too(scene: Scene) -> None:
    scene.commit("Ugly", {"a.py": UGLY, "b.py": UGLY})
    lines = ("unformatted: File would be reformatted", " --> a.py:1:7", "1 file would be reformatted")
    for command in ("make lint", 'ruff check $X && ruff format --check "$FILES"'):
        action = _lint(scene, command, *lines).actions[0]
        assert action.name == Remedy.RUN_FORMATTER
        assert action.parameters["tool"] == "ruff format"
        assert "b.py" not in action.preview


def test_a_named_file_outside_of_the_checkout_is_not_touched(scene: Scene) -> None:
    scene.commit("Ugly", {"a.py": UGLY})
    assert "not known" in _reported(_lint(scene, "make lint", "Would reformat: ../../a.py"))


def test_of_two_checks_without_words_none_is_guessed(scene: Scene) -> None:
    scene.commit("Ugly", {"a.py": UGLY})
    assert "several checks" in _reported(_lint(scene, "ruff check . && ruff format --check .", "exit code 1"))


def test_a_linter_that_does_not_format_is_reported(scene: Scene) -> None:
    assert "no formatter that Healflow knows" in _reported(_lint(scene, "flake8 .", "a.py:1:1: E501 too long"))


@pytest.mark.skipif(shutil.which("prettier") is not None, reason="prettier is installed here")
def test_a_formatter_that_is_not_installed_is_said(scene: Scene) -> None:
    scene.commit("Ugly", {"a.js": "x=1\n"})
    assert "prettier is not installed here" in _reported(_lint(scene, "npx prettier --check .", "[warn] a.js"))


def test_a_program_in_the_checkout_is_not_taken_for_the_tool(scene: Scene) -> None:
    scene.commit("Ugly", {"a.py": UGLY, "ruff.py": "open('pwned', 'w')\n", "ruff": "#!/bin/sh\ntouch pwned\n"})
    _lint(scene, "ruff format --check a.py", "Would reformat: a.py")
    assert not list(scene.root.parent.rglob("pwned"))


def test_safe_fixes_that_change_the_meaning_are_not_format(scene: Scene) -> None:
    scene.commit("Unused", {"a.py": "import os\n"})
    told = _reported(_lint(scene, "ruff check .", "a.py:1:8: F401 [*] `os` imported but unused"))
    assert "not only its format" in told


def test_the_newer_words_of_the_linter_name_their_file(scene: Scene) -> None:
    scene.commit("Unsorted", {"a.py": "import sys\nimport os\n\nprint(os, sys)\n", "b.py": "import sys\nimport os\n"})
    lines = ("I001 [*] Import block is un-sorted or un-formatted", " --> a.py:1:1")
    action = _lint(scene, "ruff check --select I a.py", *lines).actions[0]
    assert action.name == Remedy.RUN_FORMATTER


def test_sorted_imports_are_format(scene: Scene) -> None:
    scene.commit("Unsorted", {"a.py": "import sys\nimport os\n\nprint(os, sys)\n"})
    action = _lint(scene, "ruff check --select I .", "a.py:1:1: I001 [*] Import block is un-sorted").actions[0]
    assert action.name == Remedy.RUN_FORMATTER
    assert action.parameters["tool"] == "ruff check --fix"


@pytest.mark.parametrize("flag", ["--unsafe-fixes", "--add-noqa"])
def test_a_linter_is_not_loosened(scene: Scene, flag: str) -> None:
    scene.commit("Unused", {"a.py": "import os\n"})
    assert "more than format" in _reported(_lint(scene, f"ruff check {flag} .", "a.py:1:8: F401 unused"))


TOOLS = [
    ("gofmt", 'test -z "$(gofmt -l .)"', "x{}.go", "package a\n\nfunc  f( ) {}\n", "x1.go"),
    ("rustfmt", "rustfmt --check x1.rs", "x{}.rs", "fn  f( ) {}\n", "Diff in x1.rs:1:"),
    ("terraform", "terraform fmt -check x1.tf", "x{}.tf", "locals {\n  a=1\n}\n", "x1.tf"),
    ("black", "black --check x1.py", "x{}.py", UGLY, "would reformat x1.py"),
    ("isort", "isort --check x1.py", "x{}.py", "import b\nimport a\n", "ERROR: x1.py Imports are incorrectly sorted"),
    ("prettier", "prettier --check x1.js", "x{}.js", "x=1\n", "[warn] x1.js"),
]


@pytest.mark.parametrize(("tool", "command", "name", "text", "line"), TOOLS, ids=[row[0] for row in TOOLS])
def test_only_files_that_the_tool_named_change(
    scene: Scene, tool: str, command: str, name: str, text: str, line: str
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    scene.commit("Ugly", {name.format(1): text, name.format(2): text})
    plan = _lint(scene, command, line)
    assert plan.actions[0].name == Remedy.RUN_FORMATTER, plan.rationale
    assert name.format(1) in plan.actions[0].preview
    assert name.format(2) not in plan.actions[0].preview


def test_a_tool_that_changes_other_files_than_it_named_is_not_followed(scene: Scene) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    ugly = "locals {\n  a=1\n}\n"
    scene.commit("Ugly", {"a.tf": ugly, "b.tf": ugly})
    assert "had not complained about" in _reported(_lint(scene, "terraform fmt -check", "a.tf"))


def test_a_script_is_read_as_commands() -> None:
    script = "set -e\nFOO=1 poetry run black --check \\\n  src tests && python3 -m isort -c . | tee log\necho 'a;b\n"
    assert list(invocations(script)) == [
        ["set", "-e"],
        ["black", "--check", "src", "tests"],
        ["isort", "-c", "."],
        ["tee", "log"],
    ]
    assert ["gofmt", "-l", "."] in list(invocations('test -z "$(gofmt -l .)"'))
