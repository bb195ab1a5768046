"""Looks whether a patch shows what nobody may read who is asked about it: values of a Secret, or of a variable that is
named like one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET_NAME = re.compile(r"passw|secret|token|api_?key|access_?key|private_?key|credential", re.IGNORECASE)
_LEAST_CHARACTERS = 4


def shows_a_secret(patch: str, documents: list[Any]) -> bool:
    """Whether a value that is to be kept secret in one of the changed files stands in a patch."""
    return any(line in patch for value in _secrets(documents) for line in value.splitlines() if _matters(line))


def _matters(line: str) -> bool:
    return len(line.strip()) >= _LEAST_CHARACTERS


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("kind") == "Secret":
            for field in ("data", "stringData"):
                held = value.get(field)
                yield from map(str, held.values()) if isinstance(held, Mapping) else ()
        if isinstance(value.get("value"), str) and _SECRET_NAME.search(str(value.get("name") or "")):
            yield value["value"]
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)
