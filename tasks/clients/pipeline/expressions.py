"""GitHub's expression language: `${{ … }}` is parsed here and evaluated over the contexts of a run.

The grammar and the coercions follow https://docs.github.com/en/actions/reference/workflows-and-actions/expressions.
What cannot be evaluated is an error that names the expression; nothing is ever taken as true because it was not
understood.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tasks.clients.pipeline.values import (
    ExpressionError,
    Unavailable,
    Value,
    equal,
    is_true,
    read_number,
    to_number,
    to_text,
)

MAX_LENGTH = 21_000  # characters, GitHub's limit
MAX_DEPTH = 50  # levels, GitHub's limit

CONTEXTS = frozenset(
    "github env vars job jobs steps runner secrets strategy matrix needs inputs".split()  # noqa: SIM905
)
STATUS_FUNCTIONS = frozenset({"success", "failure", "always", "cancelled"})
# name in lower case -> fewest and most arguments
ARITY = {
    "contains": (2, 2), "startswith": (2, 2), "endswith": (2, 2), "format": (1, 255), "join": (1, 2), "tojson": (1, 1),
    "fromjson": (1, 1), "hashfiles": (1, 255),
    "success": (0, 0), "failure": (0, 0), "always": (0, 0), "cancelled": (0, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Literal:
    """A constant."""

    value: Value


@dataclass(frozen=True)
class Reference:
    """A context by its name."""

    name: str


@dataclass(frozen=True)
class Index:
    """`base.key`, `base[key]`, or `base.*` when `key` is `None`."""

    base: "Node"
    key: "Node | None"


@dataclass(frozen=True)
class Call:
    """A function by its lower-case name."""

    name: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True)
class Operation:
    """`!`, `&&`, `||` or a comparison."""

    operator: str
    operands: "tuple[Node, ...]"


Node: TypeAlias = Literal | Reference | Index | Call | Operation

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0x[0-9a-fA-F]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<operator>==|!=|<=|>=|&&|\|\||[<>!()\[\],.*])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*))"
)
_LITERALS: dict[str, Value] = {"true": True, "false": False, "null": None, "nan": math.nan, "infinity": math.inf}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_END = ("end", "")


def parse(text: str) -> Node:
    """Parse one expression, without the `${{` and `}}`.

    Raises:
        ExpressionError: it is malformed, or names a context or a function that does not exist.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    return _Parser(text).whole()


class _Parser:
    """Recursive descent, loosest operator first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._scan())
        self._at = 0
        self._depth = 0

    def _scan(self) -> Iterator[tuple[str, str]]:
        position, end = 0, len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None:
                raise self._error(f"unexpected {self._text[position:].strip()[:20]!r}")
            # `matrix.3` or `a.-1`: after a dot only a name may follow, so a number glued to a name never gets here
            yield match.lastgroup, match[match.lastgroup]
            position = match.end()

    def _error(self, what: str) -> ExpressionError:
        return ExpressionError(f"{what} in the expression {self._text.strip()[:200]!r}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _accept(self, *operators: str) -> str | None:
        kind, text = self._peek()
        if kind == "operator" and text in operators:
            self._at += 1
            return text
        return None

    def _expect(self, operator: str) -> None:
        if self._accept(operator) is None:
            raise self._error(f"expected {operator!r}, found {self._peek()[1] or 'the end'!r}")

    def whole(self) -> Node:
        if not self._tokens:
            raise self._error("nothing")
        node = self._either()
        if self._peek() != _END:
            raise self._error(f"unexpected {self._peek()[1]!r}")
        return node

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} levels")
        operands = [self._both()]
        while self._accept("||"):
            operands.append(self._both())
        self._depth -= 1
        return operands[0] if len(operands) == 1 else Operation("||", tuple(operands))

    def _both(self) -> Node:
        operands = [self._compared()]
        while self._accept("&&"):
            operands.append(self._compared())
        return operands[0] if len(operands) == 1 else Operation("&&", tuple(operands))

    def _compared(self) -> Node:
        left = self._negated()
        while operator := self._accept(*_COMPARISONS):
            left = Operation(operator, (left, self._negated()))
        return left

    def _negated(self) -> Node:
        count = 0
        while self._accept("!"):
            count += 1
        if count > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} levels")
        node = self._followed()
        for _ in range(count):
            node = Operation("!", (node,))
        return node

    def _followed(self) -> Node:
        node, links = self._primary(), 0
        while operator := self._accept(".", "["):
            links += 1
            if links > MAX_DEPTH:
                raise self._error(f"more than {MAX_DEPTH} levels")
            node = Index(node, self._dotted() if operator == "." else self._bracketed())
        return node

    def _dotted(self) -> Node | None:
        if self._accept("*"):
            return None
        kind, text = self._peek()
        if kind != "name":
            raise self._error("expected a name after '.'")
        self._at += 1
        return Literal(text)

    def _bracketed(self) -> Node | None:
        if self._accept("*"):
            self._expect("]")
            return None
        key = self._either()
        self._expect("]")
        return key

    def _primary(self) -> Node:
        kind, text = self._peek()
        self._at += 1
        if kind == "string":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(read_number(text))
        if kind == "name":
            return self._named(text)
        if (kind, text) == ("operator", "("):
            node = self._either()
            self._expect(")")
            return node
        raise self._error(f"unexpected {text or 'end'!r}")

    def _named(self, text: str) -> Node:
        name = text.lower()
        if self._accept("("):
            return self._called(name)
        if name in _LITERALS:
            return Literal(_LITERALS[name])
        if name not in CONTEXTS:
            raise self._error(f"unknown name {text!r}")
        return Reference(name)

    def _called(self, name: str) -> Node:
        if name not in ARITY:
            raise self._error(f"unknown function {name!r}")
        arguments: list[Node] = []
        if not self._accept(")"):
            arguments.append(self._either())
            while self._accept(","):
                arguments.append(self._either())
            self._expect(")")
        fewest, most = ARITY[name]
        if not fewest <= len(arguments) <= most:
            raise self._error(f"{name}() does not take {len(arguments)} arguments")
        return Call(name, tuple(arguments))


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    if isinstance(node, Index):
        yield from walk(node.base)
        if node.key is not None:
            yield from walk(node.key)
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument)
    elif isinstance(node, Operation):
        for operand in node.operands:
            yield from walk(operand)


@dataclass(frozen=True)
class Scope:
    """What an expression may see: contexts by name, and functions by lower-case name."""

    contexts: Mapping[str, Value]
    functions: Mapping[str, Callable[..., Value]]

    def with_context(self, name: str, value: Value) -> "Scope":
        """The same scope with one context replaced."""
        return Scope({**self.contexts, name: value}, self.functions)


def evaluate(node: Node, scope: Scope) -> Value:
    """The value of an expression.

    Raises:
        ExpressionError: it needs a context, a function or a value that is not available here.
    """
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Reference):
        if node.name not in scope.contexts:
            raise ExpressionError(f"the context {node.name!r} is not available here")
        return _known(scope.contexts[node.name])
    if isinstance(node, Index):
        return _known(_look_up(node, scope))
    if isinstance(node, Call):
        if node.name not in scope.functions:
            raise ExpressionError(f"the function {node.name}() is not available here")
        return scope.functions[node.name](*(evaluate(argument, scope) for argument in node.arguments))
    return _operate(node, scope)


def _known(value: Value) -> Value:
    if isinstance(value, Unavailable):
        raise ExpressionError(value.reason)
    return value


class _Filtered(list[Value]):
    """What `.*` gives: a further `.key` is taken of every item."""


def _look_up(node: Index, scope: Scope) -> Value:
    base = evaluate(node.base, scope)
    if node.key is None:
        if isinstance(base, Mapping):
            return _Filtered(base.values())
        return _Filtered(base) if isinstance(base, Sequence) and not isinstance(base, str) else _Filtered()
    key = evaluate(node.key, scope)
    if isinstance(base, _Filtered) and isinstance(key, str):
        return _Filtered(found for item in base if (found := _item(item, key)) is not None)
    return _item(base, key)


def _item(base: Value, key: Value) -> Value:
    if isinstance(base, Mapping):
        wanted = to_text(key)
        if wanted in base:
            return base[wanted]
        return next((value for name, value in base.items() if name.lower() == wanted.lower()), None)
    if isinstance(base, Sequence) and not isinstance(base, str):
        number = to_number(key)
        if not math.isnan(number) and 0 <= number < len(base):
            return base[int(number)]
    return None


def _operate(node: Operation, scope: Scope) -> Value:
    if node.operator == "!":
        return not is_true(evaluate(node.operands[0], scope))
    if node.operator in ("&&", "||"):
        value: Value = None
        for operand in node.operands:
            value = evaluate(operand, scope)
            if is_true(value) == (node.operator == "||"):
                break
        return value
    left, right = (evaluate(operand, scope) for operand in node.operands)
    return _compare(node.operator, left, right)


def _compare(operator: str, left: Value, right: Value) -> bool:
    if operator in ("==", "!="):
        return equal(left, right) == (operator == "==")
    first: str | float
    second: str | float
    if isinstance(left, str) and isinstance(right, str):
        first, second = left.upper(), right.upper()
        order = (first > second) - (first < second)
        return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[operator]
    first, second = to_number(left), to_number(right)
    return {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[operator]
