"""FieldChange: one place of an object that becomes another value, named so that it means the same place in every copy.

A path is made of keys; an entry of a list is `[name=app]` where entries have names, else `[#0]`.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.domain.base import Noun
from tasks.domain.cluster import Json
from tasks.domain.described import differences

MISSING = object()
_NAME, _INDEX = "[name=", "[#"


class FieldChange(Noun):
    """What becomes of one place; `remove` where nothing is to stand there."""

    path: tuple[str, ...]
    value: Any = None
    before: Any = None
    """`None` where nothing stood there."""
    remove: bool = False

    def __str__(self) -> str:
        return ".".join(self.path).replace(".[", "[")


def field_changes(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[FieldChange]:
    """The smallest changes that make one object the other."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_keys(before, after, path, str)
    elif _named(before) and _named(after):
        sides = [{str(row["name"]): row for row in side} for side in (before, after)]
        yield from _of_keys(sides[0], sides[1], path, lambda name: f"{_NAME}{name}]")
    elif _rows(before) and _rows(after) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from field_changes(one, other, (*path, f"{_INDEX}{number}]"))
    elif before != after:
        yield FieldChange(path=path, value=after, before=before)


def _of_keys(before: Json, after: Json, path: tuple[str, ...], step: Any) -> Iterator[FieldChange]:
    for key, value in before.items():
        if key in after:
            yield from field_changes(value, after[key], (*path, step(key)))
        else:
            yield FieldChange(path=(*path, step(key)), before=value, remove=True)
    for key, value in after.items():
        if key not in before:
            yield FieldChange(path=(*path, step(key)), value=value)


def value_of(document: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path, `MISSING` where nothing does."""
    for step in path:
        place = place_of(document, step)
        if place is None:
            return MISSING
        document = document[place]
    return document


def with_change(document: Any, change: FieldChange) -> Any:
    """A copy in which the change is made.

    Raises:
        LookupError: what the place stands in is not there, and is no mapping that could be made.
    """
    found = copy.deepcopy(document)
    holder = found
    for step in change.path[:-1]:
        place = place_of(holder, step)
        if place is None:
            if not isinstance(holder, dict) or is_entry(step) or change.remove:
                raise LookupError(str(change))
            place = step
            holder[step] = {}
        holder = holder[place]
    _set(holder, change)
    return found


def _set(holder: Any, change: FieldChange) -> None:
    last = change.path[-1]
    place = place_of(holder, last)
    if change.remove:
        if place is None:
            raise LookupError(str(change))
        del holder[place]
    elif place is not None:
        holder[place] = copy.deepcopy(change.value)
    elif isinstance(holder, list) and last.startswith(_NAME):
        holder.append(copy.deepcopy(change.value))
    elif isinstance(holder, dict) and not is_entry(last):
        holder[last] = copy.deepcopy(change.value)
    else:
        raise LookupError(str(change))


def place_of(holder: Any, step: str) -> Any:
    """The key or number under which a step of a path stands, `None` where it does not."""
    if isinstance(holder, Mapping):
        return step if step in holder else None
    if not isinstance(holder, list | tuple):
        return None
    if step.startswith(_INDEX):
        number = int(step[len(_INDEX) : -1])
        return number if number < len(holder) else None
    name = step[len(_NAME) : -1] if step.startswith(_NAME) else None
    rows = (number for number, row in enumerate(holder) if isinstance(row, Mapping) and row.get("name") == name)
    return next(rows, None)


def is_entry(step: str) -> bool:
    """Whether a step is an entry of a list."""
    return step.startswith((_NAME, _INDEX))


def says_the_same(described: Any, there: Any) -> bool:
    """Whether a value in git means the one that the cluster has, which may have defaults beside it."""
    return not any(differences({"resources": described}, {"resources": there}))


def _rows(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(row, Mapping) for row in value) and bool(value)


def _named(value: Any) -> bool:
    return _rows(value) and all(row.get("name") for row in value)
