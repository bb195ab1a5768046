"""Objects in YAML or JSON: one, a list, several documents, or several JSON values one after another."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.clients.kubernetes.gathering import Gathering

_ITEMS = re.compile(r'"items":\s*\[\s*')
_LIST_KIND = re.compile(r'"kind":\s*"(\w+)List"')
_COMMA = re.compile(r"\s*,\s*")


def add_documents(text: str, into: Gathering, source: str = "") -> bool:
    """Take every object in the text; `False` when there is none. Of JSON that breaks off, what stands before the break
    is taken, and the source is remembered as not read whole.
    """
    found = False
    for value in _values(text, into, source):
        if isinstance(value, Mapping) and _is_object(value):
            into.add(value)
            found = True
    return found


def _is_object(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("items"), list) or (
        isinstance(value.get("kind"), str) and isinstance(value.get("metadata"), Mapping)
    )


def _values(text: str, into: Gathering, source: str) -> Iterator[Any]:
    start = text.lstrip()
    if start.startswith(("{", "[")):
        yield from _json_values(start, into, source)
    elif "kind:" in text or "items:" in text:
        yield from _yaml_values(text)


def _json_values(text: str, into: Gathering, source: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            into.cannot_read(source, "its JSON breaks off, or is none")
            yield from _before_the_break(text[position:])
            return
        if isinstance(value, list):
            yield from value
        else:
            yield value
        position = end
        while position < len(text) and text[position].isspace():
            position += 1


def _before_the_break(text: str) -> Iterator[Any]:
    """The whole objects of a list that was cut; they are no longer all of their kind."""
    start = _ITEMS.search(text)
    if start is None:
        return
    named = _LIST_KIND.search(text, 0, start.start())
    decoder, position = json.JSONDecoder(), start.end()
    while True:
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield {"kind": named[1], **value} if named else value
        comma = _COMMA.match(text, position)
        if comma is None:
            return
        position = comma.end()


def _yaml_values(text: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.load_all(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
