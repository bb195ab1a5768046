"""Objects in YAML or JSON: one, a list, several documents, or several JSON values one after another."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.clients.kubernetes.gathering import Gathering


def add_documents(text: str, into: Gathering) -> bool:
    """Take every object in the text; `False` when there is none."""
    found = False
    for value in _values(text):
        if isinstance(value, Mapping) and _is_object(value):
            into.add(value)
            found = True
    return found


def _is_object(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("items"), list) or (
        isinstance(value.get("kind"), str) and isinstance(value.get("metadata"), Mapping)
    )


def _values(text: str) -> Iterator[Any]:
    start = text.lstrip()
    if start.startswith(("{", "[")):
        yield from _json_values(start)
    elif "kind:" in text or "items:" in text:
        yield from _yaml_values(text)


def _json_values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except ValueError:
            return
        if isinstance(value, list):
            yield from value
        else:
            yield value
        position = end
        while position < len(text) and text[position].isspace():
            position += 1


def _yaml_values(text: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.load_all(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
