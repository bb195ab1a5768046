"""Marks one test to be skipped until a day, in the words of its framework: pytest, unittest, Go.

The mark ends by itself: from that day on the test runs again, whoever forgot it.
"""

import ast
import re
from datetime import date

from tasks.plan.case import Unfit

_TEST_CASES = ("TestCase", "IsolatedAsyncioTestCase")


def skip_in_python(source: str, test: str, *, until: date, reason: str) -> str:
    """The module with the test (`name`, `Class::name`, a parameter in brackets left out) skipped until `until`.

    Raises:
        Unfit: the module cannot be read, or has no such test.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise Unfit(f"its file is no Python: {error}") from error
    found, owner = _find(tree, test.partition("[")[0].split("::"))
    of_unittest = owner is not None and any(_last_name(base) in _TEST_CASES for base in owner.bases)
    skip = "unittest.skipIf" if of_unittest else "pytest.mark.skipif"
    named = "" if of_unittest else "reason="
    day = f"datetime.date({until.year}, {until.month}, {until.day})"
    first = min([found.lineno, *(decorator.lineno for decorator in found.decorator_list)])
    lines = source.splitlines(keepends=True)
    indent = re.match(r"[ \t]*", lines[first - 1])
    margin = indent[0] if indent else ""
    mark = [
        f"{margin}@{skip}(\n",
        f"{margin}    datetime.date.today() < {day},\n",
        f"{margin}    {named}{_quoted(reason)},\n",
        f"{margin})\n",
    ]
    lines[first - 1 : first - 1] = mark
    missing = [name for name in ("datetime", skip.partition(".")[0]) if not _imports(tree, name)]
    at = _import_line(tree)
    lines[at:at] = [f"import {name}\n" for name in missing]
    return "".join(lines)


def _find(tree: ast.Module, names: list[str]) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.ClassDef | None]:
    body: list[ast.stmt] = tree.body
    owner: ast.ClassDef | None = None
    for name in names[:-1]:
        owner = next((node for node in body if isinstance(node, ast.ClassDef) and node.name == name), None)
        if owner is None:
            raise Unfit(f"its file has no class {name}")
        body = owner.body
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == names[-1]:
            return node, owner
    raise Unfit(f"its file has no test {names[-1]}")


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _imports(tree: ast.Module, name: str) -> bool:
    return any(
        isinstance(node, ast.Import) and any(alias.name == name and alias.asname is None for alias in node.names)
        for node in tree.body
    )


def _import_line(tree: ast.Module) -> int:
    """After the docstring and what is imported from `__future__`, before everything else."""
    line = 0
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not docstring and not future:
            break
        line = node.end_lineno or line
    return line


def skip_in_go(source: str, test: str, *, until: date, reason: str) -> str:
    """The file with the test function skipped until `until`; of a subtest, the whole function.

    Raises:
        Unfit: the file has no such test, or gives `time` another name.
    """
    function = test.partition("/")[0]
    opening = re.search(rf"^func {re.escape(function)}\((\w+) \*testing\.T\) *\{{\n", source, re.MULTILINE)
    package = re.search(r"^package \w+.*\n", source, re.MULTILINE)
    if opening is None or package is None:
        raise Unfit(f"its file has no test {function}")
    if re.search(r"^\s*(?:import )?\w+ \"time\"|\btime\s*:=", source, re.MULTILINE):
        raise Unfit("its file calls something else 'time'")
    t = opening[1]
    body = (
        f"\tif time.Now().Before(time.Date({until.year}, {until.month}, {until.day}, 0, 0, 0, 0, time.UTC)) {{\n"
        f"\t\t{t}.Skip({_quoted(reason)})\n\t}}\n"
    )
    marked = source[: opening.end()] + body + source[opening.end() :]
    if re.search(r"^\s*(?:import )?\"time\"", source, re.MULTILINE):
        return marked
    return marked[: package.end()] + '\nimport "time"\n' + marked[package.end() :]


def _quoted(text: str) -> str:
    plain = re.sub(r"[^ -~]", "", text).replace("\\", "/").replace('"', "'")
    return f'"{plain}"'
