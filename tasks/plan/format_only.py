"""Shows that a Python file says the same after formatting: equal syntax trees, apart from the order of imports and the
white space of docstrings."""

import ast
import inspect


def says_the_same(before: str, after: str) -> bool:
    """Whether two sources differ in format only; `False` when one of them is not Python."""
    try:
        return _meaning(before) == _meaning(after)
    except (SyntaxError, ValueError, RecursionError):
        return False


def _meaning(source: str) -> tuple[str, tuple[str, ...]]:
    tree = ast.parse(source)
    imports = tuple(sorted(name for node in tree.body for name in _imported(node)))
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _clean_docstring(node)
    return ast.dump(tree), imports


def _imported(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"import {alias.name} as {alias.asname}" for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"from {node.level} {node.module} import {alias.name} as {alias.asname}" for alias in node.names]
    return []


def _clean_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines = inspect.cleandoc(first.value.value).splitlines()
        first.value.value = "\n".join(line.rstrip() for line in lines).strip()
