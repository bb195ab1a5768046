"""Answers as text: aligned tables and YAML, cut at a line when they are too long, and never silently."""

import json
from collections.abc import Iterable, Sequence

import yaml

from tasks.collect.redact import redact
from tasks.domain.cluster import Json

MAX_CELL = 300


def table_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as what stands in them; a cell is one line."""
    cells = [[" ".join(str(cell).split())[:MAX_CELL] for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[n]) for row in cells if n < len(row)) for n in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in cells)


def yaml_text(value: Json) -> str:
    """An object as YAML, in its own order."""
    return yaml.safe_dump(json.loads(json.dumps(value, default=str)), sort_keys=False, allow_unicode=True, width=200)


def bounded(text: str, max_bytes: int) -> str:
    """The redacted text, cut at a line when it is longer."""
    text = redact(text)
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    note = f"\n[cut: {len(encoded)} bytes are more than an answer's {max_bytes}; ask for less: one namespace or "
    note += "object, a selector, a lower limit]"
    kept = encoded[: max(0, max_bytes - len(note.encode()))].decode("utf-8", "ignore")
    return kept.rpartition("\n")[0] + note if "\n" in kept else kept + note


def last_lines(text: str, *, max_lines: int, max_bytes: int) -> str:
    """The end of a log: whole lines, as many as fit."""
    kept, size = list[str](), 0
    for line in reversed(text.splitlines()[-max_lines:]):
        size += len(line.encode()) + 1
        if size > max_bytes:
            break
        kept.append(line)
    if not kept and text.strip():
        return text.encode()[-max_bytes:].decode("utf-8", "ignore")
    return "\n".join(reversed(kept))
