"""Says what a change of an object changes, from what to what, in a few plain words.

Values are shown only where they cannot be secrets: numbers, images, sizes, ports, labels that select, names of objects.
"""

from typing import Any

from tasks.domain.cluster import KubeObject
from tasks.domain.field_change import FieldChange, field_changes

_SHOWN = frozenset(["image", "memory", "cpu", "ephemeral-storage", "port", "targetPort", "name", "key"])
_SHOWN_BELOW = frozenset(["selector", "nodeSelector", "matchLabels"])
_SIZES = {"limits": "limit", "requests": "request"}
_CONTAINERS = ("containers", "initContainers")
_MAX_TOLD, _MAX_VALUE = 3, 120


def tell_changes(before: KubeObject, after: KubeObject) -> str:
    """Such as `image of app from cart:2 to cart:1`; empty where nothing but annotations changes."""
    found = [one for one in field_changes(before.spec, after.spec) if "annotations" not in one.path]
    more = [f"{len(found) - _MAX_TOLD} more places"] if len(found) > _MAX_TOLD else []
    return ", ".join([*map(_told, found[:_MAX_TOLD]), *more])


def _told(change: FieldChange) -> str:
    place = _place(change.path)
    if change.remove:
        return f"{place} taken out"
    before, after = (_shown(change.path, value) for value in (change.before, change.value))
    if change.before is None:
        return f"{place} set to {after}" if after else f"{place} added"
    return f"{place} from {before} to {after}" if before and after else f"{place} to another value"


def _shown(path: tuple[str, ...], value: Any) -> str:
    """The value in words, empty where it is not shown."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and value and (path[-1] in _SHOWN or _SHOWN_BELOW & set(path)):
        return value if len(value) <= _MAX_VALUE else f"{value[: _MAX_VALUE - 1]}…"
    return ""


def _place(path: tuple[str, ...]) -> str:
    """Where that is: `image of app`, `memory limit of app`, `selector.app`."""
    steps = [step.removeprefix("[name=").removeprefix("[").removesuffix("]") for step in path]
    inner = steps[2:] if steps[:2] == ["template", "spec"] else steps
    if len(inner) < 3 or inner[0] not in _CONTAINERS:
        return ".".join(inner)
    _, container, *rest = inner
    if len(rest) == 3 and rest[0] == "resources":
        return f"{rest[2]} {_SIZES.get(rest[1], rest[1])} of {container}"
    return f"{'.'.join(rest)} of {container}"
