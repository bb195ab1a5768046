"""Masks what differs between two prints of the same line: times, numbers, hashes, temporary paths."""

import re

_MASKS = (
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<uuid>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b", re.I), "<hex>"),
    (re.compile(r"(?<![\w/])/(?:tmp|var/folders|private/tmp)/\S+"), "<tmp>"),
    (re.compile(r"\d+"), "<n>"),
)


def mask(text: str) -> str:
    """The line's shape: equal for lines that differ in such details only."""
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return text
