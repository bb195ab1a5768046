"""Reads single values out of a report that nobody vouches for: extra and missing fields are fine, wrong types not."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from tasks.collect.redact import redact

MAX_NAME_CHARACTERS = 300
MAX_TEXT_CHARACTERS = 400
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control, invisible (with tags and the marks that reverse text), surrogate, private and unassigned characters."""
# Selectors of variants are invisible too, and have been seen to carry hidden text in titles.
_HIDDEN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_PLAIN = re.compile(r"[\x21-\x7e]{1,100}\Z")
_MAY_BE_SECRET = re.compile(r"[\w+/=-]{20}|://|[=:]")


class Misfit(Exception):  # noqa: N818  an answer that ends the reading of one entry, not an error
    """A field has the wrong type. The message names the field and never repeats its content."""


class Node:
    """One JSON object of a report, with the path that leads to it."""

    __slots__ = ("path", "values")

    def __init__(self, values: object, path: str = "") -> None:
        """Raises:
        Misfit: `values` is no object.
        """
        if not isinstance(values, Mapping):
            raise Misfit(f"{path or 'the report'} is no object")
        self.values: Mapping[str, object] = values
        self.path = path

    def has(self, name: str) -> bool:
        """Whether the field is there, `null` counting as absent."""
        return self.values.get(name) is not None

    def name(self, field: str) -> str:
        """The path of a field."""
        return f"{self.path}.{field}" if self.path else field

    def text(self, field: str) -> str:
        """The text as it stands, empty when it is absent or null; cleaned only where it is kept."""
        value = self.values.get(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Misfit(f"{self.name(field)} is no text")
        return value

    def line(self, field: str) -> int | None:
        """A line number; what is not positive is none, as Snyk's -1."""
        value = self.values.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise Misfit(f"{self.name(field)} is no whole number")
        return value if 0 < value < 1 << 31 else None

    def flag(self, field: str) -> bool | None:
        """True or false, `None` when it is absent."""
        value = self.values.get(field)
        if value is not None and not isinstance(value, bool):
            raise Misfit(f"{self.name(field)} is neither true nor false")
        return value

    def items(self, field: str) -> list[object]:
        """The list, empty when it is absent or null."""
        value = self.values.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Misfit(f"{self.name(field)} is no list")
        return value

    def texts(self, field: str) -> list[str]:
        """The list of texts."""
        values = self.items(field)
        if not all(isinstance(value, str) for value in values):
            raise Misfit(f"{self.name(field)} is no list of texts")
        return [value for value in values if isinstance(value, str)]

    def node(self, field: str) -> "Node":
        """The object under the field, an empty one when it is absent."""
        value = self.values.get(field)
        return Node({} if value is None else value, self.name(field))

    def each(self, field: str) -> Iterator[tuple[str, object]]:
        """The entries of a list with their paths, unchecked: each is read by itself."""
        for position, value in enumerate(self.items(field)):
            yield f"{self.name(field)}[{position}]", value


def clean(text: str, limit: int = MAX_NAME_CHARACTERS) -> str:
    """One printable line without secrets, of at most `limit` characters; a cut ends in an ellipsis."""
    if not text:
        return ""
    if _PLAIN.match(text):
        return redact(text) if _MAY_BE_SECRET.search(text) else text
    # More than the limit is redacted, so that no secret is cut in two and then not known as one.
    bounded = _HIDDEN.sub("", text[: limit * 4])
    printable = "".join(
        " " if char.isspace() else char
        for char in bounded
        if char.isspace() or unicodedata.category(char) not in _UNPRINTABLE
    )
    line = redact(" ".join(printable.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"
