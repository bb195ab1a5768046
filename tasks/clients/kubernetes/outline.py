"""Indented text, as `kubectl describe` prints it, as sections inside sections."""

import re
from collections.abc import Sequence

_KEYED = re.compile(r"^(?P<key>[^:\s][^:]*?):(?:\s+(?P<value>.*))?$")
_CELLS = re.compile(r"\s{2,}")


class Row:
    """One row of a table inside a section."""

    def __init__(self, cells: list[str], line_number: int) -> None:
        self.cells, self.line_number = cells, line_number


class Section:
    """One line with what stands further right below it."""

    def __init__(self, line: str, line_number: int) -> None:
        stripped = line.strip()
        found = _KEYED.match(stripped)
        self.key = found["key"] if found else stripped
        self.text = (found["value"] or "").strip() if found else ""
        self.whole, self.line_number = stripped, line_number
        self.below: list[Section] = []

    def find(self, key: str) -> "Section | None":
        """The section of that heading directly below."""
        return next((section for section in self.below if section.key == key), None)

    def value(self, key: str) -> str:
        """What stands beside a heading directly below; empty when there is none."""
        found = self.find(key)
        return found.text if found else ""

    def children(self, key: str) -> "list[Section]":
        """The sections below a heading; a heading that stands twice counts with all of them."""
        return [inner for section in self.below if section.key == key for inner in section.below]

    def body(self, key: str) -> list[str]:
        """The lines below a heading, and beside it where it stands twice."""
        again = [section.text for section in self.below if section.key == key][1:]
        return again + [line for section in self.below if section.key == key for line in section.all_lines()]

    def rows(self, key: str) -> list[Row]:
        """The rows of the table below a heading, without its own headings."""
        found = self.find(key)
        return found.table() if found else []

    def table(self) -> list[Row]:
        """The lines below as cells; the table's own headings and their underline are left out."""
        lines = [section for section in self.below for section in section.flat()]
        rows = [Row(_CELLS.split(section.whole), section.line_number) for section in lines]
        return [row for row in rows if not set(row.cells[0]) <= {"-"} and row.cells[0] not in ("Type", "Namespace")]

    def flat(self) -> "list[Section]":
        """It and everything below it, in order."""
        return [self, *(inner for section in self.below for inner in section.flat())]

    def all_lines(self) -> list[str]:
        """Everything below, as lines."""
        return [section.whole for inner in self.below for section in inner.flat()]


def outline(lines: Sequence[str]) -> Section:
    """The text as one section that holds all others."""
    top = Section("", 0)
    stack: list[tuple[int, Section]] = [(-1, top)]
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        while stack[-1][0] >= indent:
            stack.pop()
        section = Section(line, number)
        stack[-1][1].below.append(section)
        stack.append((indent, section))
    return top


def pairs_of(section: Section | None) -> dict[str, str]:
    """`key=value` beside and below a heading."""
    if section is None:
        return {}
    said = [part for text in (section.text, *section.all_lines()) for part in text.split(",")]
    return {key.strip(): value.strip() for key, found, value in (part.partition("=") for part in said) if found}
