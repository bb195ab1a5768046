"""What git describes, laid beside the object that the cluster has: where the two say different things.

The API server adds defaults, so that only what is described counts; entries of a list are told apart by their names.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.domain.base import Noun
from tasks.domain.evidence import MASK
from tasks.domain.quantity import amount


class Differing(Noun):
    """One place that differs."""

    path: str
    """Such as `spec.containers[app].image`."""
    described: Any
    there: Any
    """`None` where nothing stands there."""


def differences(described: Any, there: Any, path: str = "") -> Iterator[Differing]:
    """The places where the object has not what is described. What is withheld from us does not count as different."""
    if isinstance(described, Mapping) and isinstance(there, Mapping):
        for key, value in described.items():
            yield from differences(value, there.get(key), f"{path}.{key}" if path else str(key))
    elif _named(described) and _named(there):
        yield from _of_names(described, there, path)
    elif _listed(described) and _listed(there) and len(described) == len(there):
        for number, (one, other) in enumerate(zip(described, there, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif not _same(described, there, size="resources" in path or "sizeLimit" in path):
        yield Differing(path=path, described=described, there=there)


def _of_names(described: Sequence[Any], there: Sequence[Any], path: str) -> Iterator[Differing]:
    known = {str(row["name"]): row for row in there}
    for row in described:
        place = f"{path}[{row['name']}]"
        if row["name"] in known:
            yield from differences(row, known.pop(str(row["name"])), place)
        else:
            yield Differing(path=place, described=row, there=None)
    for name, row in known.items():
        yield Differing(path=f"{path}[{name}]", described=None, there=row)


def _named(value: Any) -> bool:
    return _listed(value) and bool(value) and all(isinstance(row, Mapping) and row.get("name") for row in value)


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _same(described: Any, there: Any, *, size: bool) -> bool:
    if described == there or (isinstance(there, str) and MASK in there):
        return True
    if not described and there is None:
        return True  # an empty value is left out
    return size and amount(described) is not None and amount(described) == amount(there)
