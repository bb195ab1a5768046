"""Texts with `${{ … }}` inside: found, checked when a workflow is read, and filled in when a step runs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.clients.pipeline.expressions import (
    STATUS_FUNCTIONS,
    Call,
    Index,
    Literal,
    Node,
    Operation,
    Reference,
    Scope,
    evaluate,
    parse,
    walk,
)
from tasks.clients.pipeline.values import ExpressionError, Value, is_true, to_text

_OPEN, _CLOSE = "${{", "}}"
_INNER = re.compile(r"(?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*+")


@dataclass(frozen=True)
class Template:
    """A text cut into literal pieces and expressions."""

    pieces: tuple[str | Node, ...]

    @property
    def expressions(self) -> tuple[Node, ...]:
        """Its expressions in order."""
        return tuple(piece for piece in self.pieces if not isinstance(piece, str))


def parse_template(text: str) -> Template:
    """Cut a text at its expressions.

    Raises:
        ExpressionError: an expression is malformed or not closed.
    """
    pieces: list[str | Node] = []
    position = 0
    while (start := text.find(_OPEN, position)) >= 0:
        inner = _INNER.match(text, start + len(_OPEN))
        end = inner.end() if inner else start
        if not text.startswith(_CLOSE, end):
            raise ExpressionError(f"'${{{{' is not closed in {text[start : start + 60]!r}")
        if start > position:
            pieces.append(text[position:start])
        pieces.append(parse(text[start + len(_OPEN) : end]))
        position = end + len(_CLOSE)
    if position < len(text):
        pieces.append(text[position:])
    return Template(tuple(pieces))


def check_template(text: str) -> None:
    """Refuse a text that could not be filled in.

    Raises:
        ExpressionError: an expression is malformed, or asks for a status where there is none.
    """
    for expression in parse_template(text).expressions:
        for node in walk(expression):
            if isinstance(node, Call) and node.name in STATUS_FUNCTIONS:
                raise ExpressionError(f"{node.name}() only works in 'if'")


def parse_condition(text: str) -> Node:
    """The expression of an `if`, with or without `${{ }}`; without a status function, `success()` is ANDed, as GitHub
    does.

    Raises:
        ExpressionError: malformed, or text around the `${{ }}`, which GitHub would take as always true.
    """
    stripped = text.strip()
    if _OPEN in stripped:
        pieces = parse_template(stripped).pieces
        if len(pieces) != 1 or isinstance(pieces[0], str):
            raise ExpressionError(f"'if' mixes text and '${{{{ }}}}', which would always be true: {stripped[:100]!r}")
        node = pieces[0]
    else:
        node = parse(stripped)
    if any(isinstance(part, Call) and part.name in STATUS_FUNCTIONS for part in walk(node)):
        return node
    return Operation("&&", (Call("success", ()), node))


def fill(text: str, scope: Scope) -> str:
    """The text with its expressions evaluated.

    Raises:
        ExpressionError: an expression cannot be evaluated here.
    """
    return "".join(
        piece if isinstance(piece, str) else to_text(evaluate(piece, scope)) for piece in parse_template(text).pieces
    )


def fill_value(value: Value, scope: Scope) -> Value:
    """A YAML value with the texts in it filled in; a text that is one expression keeps the type of its value.

    Raises:
        ExpressionError: an expression cannot be evaluated here.
    """
    if isinstance(value, Mapping):
        return {key: fill_value(item, scope) for key, item in value.items()}
    if isinstance(value, str):
        pieces = parse_template(value).pieces
        if len(pieces) == 1 and not isinstance(pieces[0], str):
            return evaluate(pieces[0], scope)
        return fill(value, scope)
    if isinstance(value, Sequence):
        return [fill_value(item, scope) for item in value]
    return value


def holds(text: str | None, scope: Scope) -> bool:
    """Whether an `if` holds; a missing one is `success()`.

    Raises:
        ExpressionError: it cannot be evaluated here.
    """
    return is_true(evaluate(parse_condition(text or "success()"), scope))


# What the commit's author, not the workflow's, chooses, and what would leave the quotes of a script.
_OWN_WORDS = frozenset({"workflow", "job", "action"})
_UNSAFE = re.compile(r"[\"'`$\\;&|<>()\n\r\x00]")


def fill_script(text: str, scope: Scope) -> str:
    """Fill in a `run:` script, refusing names that would be executed.

    GitHub pastes a branch name into the script as it is, so that `$(…)` in it runs
    (https://docs.github.com/en/actions/concepts/security/script-injections). Here outside text never becomes code.

    Raises:
        ExpressionError: an expression cannot be evaluated here, or would paste such a name.
    """
    for expression in parse_template(text).expressions:
        for node in _outside_values(expression):
            unsafe = next((leaf for leaf in _leaves(node, scope) if _UNSAFE.search(leaf)), None)
            if unsafe is not None:
                raise ExpressionError(
                    f"{_spelled(node)} is {unsafe[:100]!r}, whose characters a shell would act on; "
                    "pass it through 'env:' and use the variable instead"
                )
    return fill(text, scope)


def _leaves(node: Node, scope: Scope) -> list[str]:
    try:
        return _texts(evaluate(node, scope))
    except ExpressionError:
        return []  # a guarded part that is not reached; if it is, filling in says so


def _outside_values(node: Node) -> list[Node]:
    """The uses of `github.…` in an expression, each as far as it is followed by names."""
    if _starts_at_github(node):
        first = _first_key(node)
        return [] if first in _OWN_WORDS else [node]
    if isinstance(node, Index):
        return _outside_values(node.base) + (_outside_values(node.key) if node.key is not None else [])
    if _gives_boolean(node):
        return []
    children = node.arguments if isinstance(node, Call) else node.operands if isinstance(node, Operation) else ()
    return [found for child in children for found in _outside_values(child)]


def _gives_boolean(node: Node) -> bool:
    if isinstance(node, Call):
        return node.name in ("contains", "startswith", "endswith", "hashfiles")
    return isinstance(node, Operation) and node.operator not in ("&&", "||")


def _starts_at_github(node: Node) -> bool:
    while isinstance(node, Index):
        node = node.base
    return node == Reference("github")


def _first_key(node: Node) -> str:
    while isinstance(node, Index) and isinstance(node.base, Index):
        node = node.base
    if isinstance(node, Index) and isinstance(node.key, Literal):
        return to_text(node.key.value).lower()
    return ""


def _spelled(node: Node) -> str:
    if isinstance(node, Index):
        key = to_text(node.key.value) if isinstance(node.key, Literal) else "*"
        return f"{_spelled(node.base)}.{key}"
    return node.name if isinstance(node, Reference) else "…"


def _texts(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for key, item in value.items() if key not in _OWN_WORDS for text in _texts(item)]
    if isinstance(value, Sequence):
        return [text for item in value for text in _texts(item)]
    return []
