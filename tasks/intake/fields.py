"""Reads single values out of a payload that nobody vouches for: typed, bounded, cleaned, or refused by name."""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, Self

from tasks.errors import BadInputError

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories: control, invisible (with the marks that reverse text), surrogate, private, unassigned."""
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
_URL = re.compile(r"(?:https?://|healflow-local:)[!-~]{1,1990}")
_FORBIDDEN_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|^[-/.]|[/.]\Z|^@\Z")
"""https://git-scm.com/docs/git-check-ref-format, and no leading dash, which a command would take for an option."""

_REF_AFTER_WORKFLOW = re.compile(r"(?<=\.yml)@.*|(?<=\.yaml)@.*")


def clean_text(text: str, *, limit: int) -> str:
    """One line of printable text of at most `limit` characters; what was cut ends in an ellipsis."""
    bounded = text[: limit * 4]
    printable = "".join(" " if char.isspace() else char for char in bounded if _is_printable(char))
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _is_printable(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) not in _UNPRINTABLE


def read_object(payload: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON object that a body is.

    Raises:
        BadInputError: 400; it is none.
    """
    if isinstance(payload, Mapping):
        return payload
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        # no `from error`: its text repeats the body
        raise BadInputError(f"the body is no JSON ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise BadInputError("the body is no JSON object")
    return document


class Fields:
    """One JSON object of a payload. Each reader names the field that it refuses and never repeats its content.

    Every reader raises `BadInputError` (422) for a value of the wrong type or form.
    """

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        self._values = values
        self._path = path

    def within(self, name: str) -> Self:
        """The object under `name`."""
        value = self._values.get(name)
        if not isinstance(value, Mapping):
            self.refuse(name, "is no object")
        return type(self)(value, self._name(name))

    def within_or_none(self, name: str) -> Self | None:
        """The object under `name`, `None` when it is absent or null."""
        return None if self._values.get(name) is None else self.within(name)

    def objects(self, name: str, *, limit: int) -> dict[str, Self]:
        """The objects of the object under `name`, by their names; more than `limit` of them are refused."""
        value = self._values.get(name)
        if not isinstance(value, Mapping) or len(value) > limit:
            self.refuse(name, f"is no object of at most {limit} fields")
        if not all(isinstance(item, Mapping) for item in value.values()):
            self.refuse(name, "holds something that is no object")
        parts = enumerate(value.items())
        return {clean_text(key, limit=255): type(self)(item, f"{self._name(name)}[{n}]") for n, (key, item) in parts}

    def flag(self, name: str) -> bool:
        """Whether the field says true."""
        return self._values.get(name) is True

    def each(self, name: str, *, most: int = 100) -> tuple[Self, ...]:
        """The first `most` objects of the list under `name`; absent or null is an empty list."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value[:most]):
            self.refuse(name, "is no list of objects")
        return tuple(type(self)(item, f"{self._name(name)}[{n}]") for n, item in enumerate(value[:most]))

    def texts(self, name: str, *, most: int = 64, limit: int = 300) -> dict[str, str]:
        """The first `most` texts of the object under `name`, cleaned; absent or null is an empty one."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.refuse(name, "is no object")
        told = [(key, said) for key, said in value.items() if isinstance(key, str) and isinstance(said, str)]
        return {clean_text(key, limit=100): clean_text(said, limit=limit) for key, said in told[:most]}

    def text(self, name: str, *, limit: int = 200) -> str:
        """Cleaned text, empty when the field is absent or null."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, "is no text")
        return clean_text(value, limit=limit)

    def lines(self, name: str, *, limit: int = 200) -> str:
        """Text with its line breaks, cut to `limit` characters; empty when the field is absent or null."""
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, "is no text")
        return "".join(char for char in value[:limit] if char == "\n" or unicodedata.category(char) not in _UNPRINTABLE)

    def first_line(self, name: str, *, limit: int = 200) -> str:
        """The first line of a text, cleaned; empty when the field is absent or null."""
        value = self._values.get(name)
        return clean_text(value[: limit * 4].strip().split("\n")[0], limit=limit) if isinstance(value, str) else ""

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def is_text(self, name: str) -> bool:
        """Whether the field holds text."""
        return isinstance(self._values.get(name), str)

    @property
    def raw(self) -> Mapping[str, object]:
        """The object itself, which nobody has checked."""
        return self._values

    def length(self, name: str) -> int:
        """How many items the list under `name` has; 0 when it is none."""
        value = self._values.get(name)
        return len(value) if isinstance(value, list) else 0

    def count(self, name: str) -> int:
        """A whole number from 0 up; 0 when the field is absent or null."""
        return 0 if self._values.get(name) in (None, 0) else self.whole_number(name)

    def whole_number(self, name: str, *, default: int | None = None) -> int:
        """A positive whole number of at most 18 digits; `default` when the field is absent or null."""
        value = self._values.get(name, default)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**18:
            self.refuse(name, "is no positive whole number")
        return value

    def commit(self, name: str) -> str:
        """A full commit id, SHA-1 or SHA-256, in lower case."""
        value = self._values.get(name)
        if not isinstance(value, str) or not _COMMIT.fullmatch(value.lower()):
            self.refuse(name, "is no commit id of 40 or 64 hexadecimal digits")
        return value.lower()

    def repository(self, name: str) -> str:
        """A repository's `owner/name`."""
        value = self._values.get(name)
        if not isinstance(value, str) or not _REPOSITORY.fullmatch(value):
            self.refuse(name, "is no repository of the form owner/name")
        return value

    def branch(self, name: str) -> str | None:
        """A branch name that git accepts, `None` when the field is absent or null. It names a thing: never altered."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not 0 < len(value) <= 255 or _FORBIDDEN_IN_REF.search(value):
            self.refuse(name, "is no branch name that git accepts")
        if not all(_is_printable(char) for char in value):
            self.refuse(name, "holds characters that cannot be printed")
        return value

    def relative_path(self, name: str) -> str:
        """A path below the repository's root without `..`, empty when absent; GitHub's `@REF` at its end is dropped."""
        path = _REF_AFTER_WORKFLOW.sub("", self.text(name, limit=512))
        if path.startswith(("/", "\\", "~")) or ".." in re.split(r"[/\\]", path) or path.endswith("…"):
            self.refuse(name, "is no path inside the repository")
        return path

    def url(self, name: str) -> str:
        """A web address or a `healflow-local:` one, in ASCII; empty when the field is absent or null."""
        value = self._values.get(name)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or not _URL.fullmatch(value):
            self.refuse(name, "is no address beginning with https://, http:// or healflow-local:")
        return value

    def moment(self, name: str) -> datetime:
        """An ISO 8601 time with its zone, in UTC."""
        value = self._values.get(name)
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
            if moment is not None and moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        return self.refuse(name, "is no ISO 8601 time with a zone")

    def refuse(self, name: str, what: str) -> NoReturn:
        """Raise the error that names this field.

        Raises:
            BadInputError: always.
        """
        raise BadInputError(f"malformed payload: '{self._name(name)}' {what}", status_code=422)

    def _name(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name
