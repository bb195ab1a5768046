"""GitHub's expression language: what cannot be evaluated is an error, and the coercions are GitHub's."""

import hashlib
from pathlib import Path

import pytest

from tasks.clients.pipeline.expressions import Scope, evaluate, parse
from tasks.clients.pipeline.functions import plain_functions
from tasks.clients.pipeline.templates import fill, fill_script, fill_value, holds
from tasks.clients.pipeline.values import ExpressionError, Unavailable, Value

CONTEXTS: dict[str, Value] = {
    "github": {
        "ref": "refs/heads/main",
        "ref_name": "main",
        "workflow": "CI (linux)",
        "event": {"commits": Unavailable("only GitHub knows github.event.commits")},
    },
    "env": {"Mixed": "x", "dashed-name": "y"},
    "matrix": {"py": 3.1, "list": [1, "two", None]},
    "steps": {"a": {"outcome": "success"}, "b": {"outcome": "failure"}},
}


def scope(**contexts: Value) -> Scope:
    status = {"success": lambda: True, "failure": lambda: False, "always": lambda: True, "cancelled": lambda: False}
    return Scope(CONTEXTS | contexts, plain_functions() | status)


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "a", "'open", "(1", "1)", "github.", "github.'x'", "github ref", "fromJson(", "contains('a')", "success(1)",
        "1 = 1", "github.ref == \"x\"", "${{ 1 }}", "!", "[1]", "matrix.py 3", "1.2.3", "a-b.c", "(" * 60 + "1" + ")" * 60,
        "!" * 60 + "1", "github" + ".a" * 60, "'" + "x" * 21_000 + "'",
    ],
)  # fmt: skip
def test_malformed_expression_is_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["secrets.X", "hashFiles('x')", "github.event.commits[0]", "fromJSON('{')", "format('{0} {1}', 1)", "fromJSON('')"],
)
def test_what_is_not_known_here_is_an_error_not_a_value(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(parse(text), scope())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("null == 0", True),
        ("'' == 0", True),
        ("'1' == 1", True),
        ("true == 1", True),
        ("'a' == 0", False),
        ("'Main' == 'mAIN'", True),
        ("'b' > 'A'", True),
        ("'x' < 1", False),
        ("NaN == NaN", False),
        ("!0", True),
        ("!!'x'", True),
        ("'' || 'b'", "b"),
        ("'a' && 'b'", "b"),
        ("0 && secrets.X", 0),
        ("1 || secrets.X", 1),
        ("false || 1 == 1 && 2 == 2", True),
        ("(1 == 2) == false", True),
        ("0x1F", 31),
        ("-1.5e1", -15),
        ("'it''s'", "it's"),
        ("github.REF", "refs/heads/main"),
        ("github['ref']", "refs/heads/main"),
        ("env.dashed-name", "y"),
        ("env.mixed", "x"),
        ("github.nothing.at.all", None),
        ("matrix.list[1]", "two"),
        ("matrix.list[9]", None),
        ("matrix.py", 3.1),
        ("contains(steps.*.outcome, 'FAILURE')", True),
        ("join(steps.*.outcome, '+')", "success+failure"),
        ("contains('Hello', 'ELL')", True),
        ("startsWith(github.ref, 'refs/heads/')", True),
        ("endsWith('a.py', '.PY')", True),
        ("format('{0}-{{x}}-{1}', 'a', 2)", "a-{x}-2"),
        ("join(matrix.list)", "1,two,"),
        ("fromJSON('{\"a\": [1, true]}').a[1]", True),
        ("toJSON(matrix.list)", '[\n  1,\n  "two",\n  null\n]'),
    ],
)
def test_expression_has_githubs_value(text: str, value: Value) -> None:
    assert evaluate(parse(text), scope()) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, True),
        ("failure()", False),
        ("${{ always() }}", True),
        ("github.ref_name == 'dev'", False),
        ("env.none", False),
    ],
)
def test_condition_holds_only_when_it_is_true(text: str | None, expected: bool) -> None:
    assert holds(text, scope()) is expected


def test_condition_without_status_function_needs_success() -> None:
    failed = Scope(CONTEXTS, {**scope().functions, "success": lambda: False})
    assert not holds("true", failed)
    assert holds("always() && true", failed)


def test_template_keeps_the_text_around_and_braces_in_quotes() -> None:
    assert fill("a ${{ '}}' }} b ${{ matrix.py }} $HOME {{ x }}", scope()) == "a }} b 3.1 $HOME {{ x }}"


def test_template_that_is_one_expression_keeps_its_type() -> None:
    assert fill_value({"a": "${{ fromJSON('[1, 2]') }}", "b": ["v${{ 1 }}"]}, scope()) == {"a": [1, 2], "b": ["v1"]}


@pytest.mark.parametrize("name", ["x$(touch pwned)", "x`id`", 'x"; id; "', "x'y", "a|b", "a\nb", "a&b", "a>b"])
def test_name_that_a_shell_would_act_on_is_not_pasted_into_a_script(name: str) -> None:
    unsafe = scope(github={"ref_name": name})
    with pytest.raises(ExpressionError, match="whose characters a shell would act on"):
        fill_script("echo ${{ github.ref_name }}", unsafe)
    with pytest.raises(ExpressionError, match="use the variable instead"):
        fill_script("echo ${{ format('{0}', github.ref_name || 'x') }}", unsafe)
    with pytest.raises(ExpressionError, match="github"):
        fill_script("echo '${{ toJSON(github) }}'", unsafe)


def test_names_that_are_safe_or_only_compared_reach_the_script() -> None:
    assert fill_script("echo ${{ github.ref }} ${{ github.workflow }}", scope()) == "echo refs/heads/main CI (linux)"
    odd = scope(github={"ref_name": "x$(id)"})
    assert fill_script("echo ${{ github.ref_name == 'main' && 'yes' || 'no' }}", odd) == "echo no"


def test_hash_of_files_stays_inside_and_changes_with_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.lock").write_text("one")
    (tmp_path / "y.lock").write_text("two")
    (tmp_path / "link.lock").symlink_to("/etc/passwd")
    names = Scope({}, plain_functions(tmp_path))
    expected = hashlib.sha256(b"".join(hashlib.sha256(text).digest() for text in (b"one", b"two"))).hexdigest()
    assert evaluate(parse("hashFiles('**/*.lock')"), names) == expected
    assert (
        evaluate(parse("hashFiles('**/*.lock', '!y.lock')"), names)
        == hashlib.sha256(hashlib.sha256(b"one").digest()).hexdigest()
    )
    assert evaluate(parse("hashFiles('none')"), names) == ""
    for outside in ("../x", "/etc/passwd"):
        with pytest.raises(ExpressionError, match="outside the workspace"):
            evaluate(parse(f"hashFiles('{outside}')"), names)
