"""Changes one value in the text of a YAML file, and leaves every other character as it is: comments, order, quotes.

The place is found by the marks of the parsed text; what came of it is parsed again and compared.
"""

import json
from typing import Any

import yaml

from tasks.domain.field_change import FieldChange, is_entry, with_change

_WIDE = 1 << 20


class UnspliceableError(Exception):
    """The text is not written so that just this place can be changed; the message says why."""


def spliced(text: str, number: int, change: FieldChange) -> str:
    """The text of a file with one place of its document `number` changed.

    Raises:
        UnspliceableError: it cannot be, or more than the place would change.
    """
    nodes, documents = parsed(text)
    trail = [nodes[number]]
    made = ""
    for depth, step in enumerate(change.path):
        child = _child(trail[-1], step)
        if child is None:
            if change.remove:
                raise UnspliceableError(f"{change} is not there")
            made = _added(text, trail[-1], change.path[depth:], change.value)
            break
        trail.append(child)
    else:
        removed = change.remove and _removed(text, trail[-2], change.path[-1], trail[-1])
        made = removed or _replaced(text, trail[-1], change.value)
    _compare(documents, made, number, change)
    return made


def parsed(text: str) -> tuple[list[Any], list[Any]]:
    """The nodes and the values of a file's documents, in their order.

    Raises:
        UnspliceableError: it is no YAML.
    """
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        return nodes, [_unshared(document) for document in yaml.safe_load_all(text)]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnspliceableError("it is no plain YAML") from error


def _unshared(value: Any) -> Any:
    """What an alias repeats becomes a value of its own, so that a change of both shows."""
    if isinstance(value, dict):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def _compare(before: list[Any], text: str, number: int, change: FieldChange) -> None:
    _, after = parsed(text)
    try:
        wanted = [*before[:number], with_change(before[number], change), *before[number + 1 :]]
    except LookupError as error:
        raise UnspliceableError(f"{change} stands in nothing that could be changed") from error
    if after != wanted:
        raise UnspliceableError(f"more than {change} would change")


def _child(node: Any, step: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if not isinstance(node, yaml.SequenceNode):
        return None
    if step.startswith("[#"):
        index = int(step[2:-1])
        return node.value[index] if index < len(node.value) else None
    name = step.removeprefix("[name=")[:-1]
    for item in node.value:
        if isinstance(item, yaml.MappingNode) and any(k.value == "name" and v.value == name for k, v in item.value):
            return item
    return None


def _replaced(text: str, node: Any, value: Any) -> str:
    start = node.start_mark.index
    if isinstance(node, yaml.ScalarNode):
        if node.style in ("|", ">"):
            raise UnspliceableError("the value is a block of text")
        gap = " " if start == node.end_mark.index and text[start - 1 : start] in (":", "-") else ""
        return text[:start] + gap + _flow(value, node.style) + text[node.end_mark.index :]
    if node.flow_style:
        return text[:start] + _flow(value) + text[node.end_mark.index :]
    if not isinstance(value, dict | list) or not value:
        raise UnspliceableError("a whole block would become one value")
    return text[:start] + _block(value, node.start_mark.column, _newline(text)) + text[_end(text, node) :]


def _added(text: str, node: Any, rest: tuple[str, ...], value: Any) -> str:
    if any(is_entry(step) for step in rest[1:]):
        raise UnspliceableError("the list that it stands in is not there")
    for step in reversed(rest[1:]):
        value = {step: value}
    first = rest[0]
    entry = value if is_entry(first) else {first: value}
    if isinstance(node, yaml.MappingNode) == is_entry(first) or isinstance(node, yaml.ScalarNode):
        raise UnspliceableError("what it would stand in is something else")
    told = [entry] if is_entry(first) else entry
    if node.flow_style:
        inner, close = _flow(told)[1:-1], int(node.end_mark.index) - 1
        joint = ", " if node.value else ""
        close = len(text[:close].rstrip()) if node.value else close
        return text[:close] + joint + inner + text[close:]
    last = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    column, newline = int(node.start_mark.column), _newline(text)
    at = _line_end(text, _end(text, last))
    return text[:at] + newline + " " * column + _block(told, column, newline) + text[at:]


def _removed(text: str, parent: Any, step: str, child: Any) -> str:
    if len(parent.value) < 2:
        raise UnspliceableError("nothing would be left of what it stands in")
    if parent.flow_style:
        start, end = parent.start_mark.index, parent.end_mark.index
        left = yaml.safe_load(text[start:end])
        gone = with_change(left, FieldChange(path=(step,), remove=True))
        return text[:start] + _flow(gone) + text[end:]
    start, after = child.start_mark.index, None
    if isinstance(parent, yaml.MappingNode):
        keys = [key for key, _ in parent.value]
        number = next(number for number, (_, value) in enumerate(parent.value) if value is child)
        start = keys[number].start_mark.index
        after = keys[number + 1].start_mark.index if number + 1 < len(keys) else None
    else:
        start = text.rfind("-", 0, start)
    line = text.rfind("\n", 0, start) + 1
    if text[line:start].strip():
        if after is None:
            raise UnspliceableError("it begins an entry and ends it")
        return text[:start] + text[after:]
    end = _line_end(text, _end(text, child))
    return text[:line] + text[end:].removeprefix("\r").removeprefix("\n")


def _end(text: str, node: Any) -> int:
    """Where the text of a node ends; the marks of a block are behind the comments that follow it."""
    if isinstance(node, yaml.ScalarNode):
        end = int(node.end_mark.index)
        return len(text[:end].rstrip()) if node.style in ("|", ">") else end
    if node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    end = len(text) if found < 0 else found
    return end - 1 if text[end - 1 : end] == "\r" else end


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _flow(value: Any, style: str | None = None) -> str:
    if isinstance(value, str) and style == '"':
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and style == "'" and "\n" not in value:
        return "'" + value.replace("'", "''") + "'"
    told = yaml.safe_dump(value, default_flow_style=True, width=_WIDE, allow_unicode=True, sort_keys=False)
    return told.removesuffix("...\n").strip()


def _block(value: Any, column: int, newline: str) -> str:
    told = yaml.safe_dump(value, default_flow_style=False, width=_WIDE, allow_unicode=True, sort_keys=False)
    return (newline + " " * column).join(told.rstrip("\n").split("\n"))
