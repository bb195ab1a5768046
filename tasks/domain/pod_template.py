"""Places of a pod template, and one place of it put back to what an earlier revision had."""

from collections.abc import Sequence
from typing import Any, Literal

from tasks.domain.base import Noun
from tasks.domain.cluster import Json, dig, mapping_of, mappings_of

PlaceField = Literal[
    "image",
    "command",
    "args",
    "env",
    "envFrom",
    "ports",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "volumes",
]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
LISTED = ("initContainers", "containers")


class Place(Noun):
    """A field of a container, or of the pod where `container` is empty."""

    container: str = ""
    field: PlaceField
    entries: tuple[str, ...] = ()
    """Names of the entries of a list (`env`, `volumes`); empty is the whole field."""


class PutBack(Noun):
    """What becomes of one place."""

    path: str
    """A JSON pointer below the template."""
    value: Any
    """`None` where the earlier revision had nothing there."""


def put_back(now: Json, then: Json, place: Place) -> PutBack | None:
    """What a place of a template has to become, `None` when one of the templates does not have its container."""
    if not place.container:
        before, after = mapping_of(now.get("spec")), mapping_of(then.get("spec"))
        return PutBack(path=f"/spec/{place.field}", value=_value(before, after, place))
    for kind in LISTED:
        rows = list(mappings_of(dig(now, "spec", kind)))
        index = next((number for number, row in enumerate(rows) if row.get("name") == place.container), None)
        earlier = container_of(then, place.container)
        if index is not None and earlier is not None:
            path = f"/spec/{kind}/{index}/{place.field}"
            return PutBack(path=path, value=_value(rows[index], earlier, place))
    return None


def container_of(template: Json, name: str) -> Json | None:
    """The container of that name, of those that prepare the pod too."""
    rows = (row for kind in LISTED for row in mappings_of(dig(template, "spec", kind)))
    return next((row for row in rows if row.get("name") == name), None)


def entries_that_differ(now: Json, then: Json, field: str) -> tuple[str, ...]:
    """Names of the entries of a list that one side lacks or has otherwise."""
    sides = [{str(row.get("name")): row for row in mappings_of(side.get(field))} for side in (now, then)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return tuple(name for name in names if sides[0].get(name) != sides[1].get(name))


def _value(now: Json, then: Json, place: Place) -> Any:
    if not place.entries:
        return then.get(place.field)
    rows = _merged(mappings_of(now.get(place.field)), mappings_of(then.get(place.field)), place.entries)
    return rows or None


def _merged(now: Sequence[Json], then: Sequence[Json], names: Sequence[str]) -> list[Json]:
    """The entries of now in their order, those of the names as they were then; what was lost comes to the end."""
    earlier = {str(row.get("name")): row for row in then}
    present = {str(row.get("name")) for row in now}
    kept = [earlier.get(str(row.get("name"))) if row.get("name") in names else row for row in now]
    lost = [earlier[name] for name in names if name in earlier and name not in present]
    return [row for row in [*kept, *lost] if row is not None]
