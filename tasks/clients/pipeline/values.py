"""The values of GitHub's expressions and how one kind is taken for another.

The coercions follow https://docs.github.com/en/actions/reference/workflows-and-actions/expressions.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


class ExpressionError(ValueError):
    """An expression that is malformed, or that cannot be evaluated here."""


@dataclass(frozen=True)
class Unavailable:
    """Stands for a value that GitHub would know and this machine does not; using it is an error."""

    reason: str


Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | Unavailable | None"


def is_list(value: Value) -> bool:
    """Whether GitHub would call the value an array."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def equal(left: Value, right: Value) -> bool:
    """GitHub's loose equality: texts without regard to case, unlike types as numbers, objects by identity."""
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if isinstance(left, Mapping) or isinstance(right, Mapping) or is_list(left) or is_list(right):
        return left is right
    if left is None and right is None:
        return True
    return to_number(left) == to_number(right)


def is_true(value: Value) -> bool:
    """Whether a condition holds: all but false, 0, NaN, null and the empty text."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return value is not None and value is not False and value not in (0, "")


def read_number(text: str) -> int | float:
    """The number that a literal stands for; exact where it is a whole one."""
    if text.startswith("0x"):
        return int(text, 16)
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def to_number(value: Value) -> float:
    """GitHub's coercion to a number; NaN when there is none."""
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0
        return read_number(text) if _NUMBER.fullmatch(text) else math.nan
    return math.nan


def to_text(value: Value) -> str:
    """GitHub's coercion to a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return {True: "NaN"}.get(math.isnan(value), "Infinity" if value > 0 else "-Infinity")
        return f"{value:.15g}"
    if isinstance(value, Mapping):
        return "Object"
    return "Array" if is_list(value) else str(value)
