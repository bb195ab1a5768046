"""Expands the matrix of a job into its combinations, in GitHub's order and with GitHub's names."""

from collections.abc import Mapping, Sequence
from itertools import product

from tasks.clients.pipeline.values import ExpressionError, Value, equal, to_text

MAX_COMBINATIONS = 256  # GitHub's limit per workflow run

Combination = dict[str, Value]


def expand(matrix: Value) -> tuple[Combination, ...]:
    """The combinations of a filled-in matrix: the product of its lists, less `exclude`, then `include`.

    Raises:
        ExpressionError: it is no matrix, is empty, or has more than 256 combinations.
    """
    if not isinstance(matrix, Mapping):
        raise ExpressionError(f"the matrix has to be lists of values by name, found {to_text(matrix)[:60]!r}")
    axes = {name: _values(name, values) for name, values in matrix.items() if name not in ("include", "exclude")}
    size = 1
    for values in axes.values():
        size *= len(values)
        if size > MAX_COMBINATIONS * 16:  # room for exclude, without building what would be refused anyway
            raise ExpressionError(f"the matrix has more than {MAX_COMBINATIONS} combinations")
    originals = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())] if axes else []
    excluded = _entries("exclude", matrix.get("exclude"))
    originals = [one for one in originals if not any(_matches(one, entry) for entry in excluded)]
    combinations = _include(originals, _entries("include", matrix.get("include")))
    if not 1 <= len(combinations) <= MAX_COMBINATIONS:
        raise ExpressionError(f"the matrix has {len(combinations)} combinations; 1 to {MAX_COMBINATIONS} can run")
    return tuple(combinations)


def _values(name: str, values: Value) -> list[Value]:
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise ExpressionError(f"the matrix key {name!r} has to be a list with values")
    return list(values)


def _entries(name: str, entries: Value) -> list[Mapping[str, Value]]:
    if entries is None or entries == "":
        return []
    if isinstance(entries, str) or not isinstance(entries, Sequence):
        raise ExpressionError(f"the matrix key {name!r} has to be a list")
    found = [entry for entry in entries if isinstance(entry, Mapping)]
    if len(found) != len(entries):
        raise ExpressionError(f"the entries of the matrix key {name!r} have to be names with values")
    return found


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_same(one, other) for one, other in zip(left, right, strict=True))
    return equal(left, right)


def _matches(combination: Combination, entry: Mapping[str, Value]) -> bool:
    return all(name in combination and _same(combination[name], value) for name, value in entry.items())


def _include(originals: list[Combination], entries: list[Mapping[str, Value]]) -> list[Combination]:
    """Each entry extends every combination whose original values it keeps, and is one of its own when there is none."""
    extended = [dict(one) for one in originals]
    added: list[Combination] = []
    for entry in entries:
        fits = [
            number
            for number, one in enumerate(originals)
            if all(_same(one[name], value) for name, value in entry.items() if name in one)
        ]
        for number in fits:
            extended[number].update(entry)
        if not fits:
            added.append(dict(entry))
    return extended + added


def display_name(job_name: str, combination: Combination) -> str:
    """What GitHub shows for one combination: `test (3.12, ubuntu-latest)`."""
    words = [word for value in combination.values() for word in _words(value)]
    return f"{job_name} ({', '.join(words)})" if words else job_name


def _words(value: Value) -> list[str]:
    if isinstance(value, Mapping):
        return [word for item in value.values() for word in _words(item)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [word for item in value for word in _words(item)]
    text = to_text(value)
    return [text] if text else []
