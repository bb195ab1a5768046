"""What applying an object would change: the live object against what the API server says it would become."""

import difflib
from collections.abc import Mapping
from typing import Any

import yaml

from tasks.domain.cluster import Json, KubeObject, mapping_of
from tasks.domain.rollout import Difference

_KEPT_BY_THE_SERVER = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
_MASK = "<masked>"
_MAX_LINES = 400


def compare(live: KubeObject | None, then: KubeObject) -> Difference:
    """The difference; `live` is `None` for what does not exist yet."""
    before, after = _lines(live.raw) if live is not None else [], _lines(then.raw)
    told = list(difflib.unified_diff(before, after, f"now/{then.ref}", f"then/{then.ref}", lineterm="", n=2))
    if len(told) > _MAX_LINES:
        told = [*told[:_MAX_LINES], f"… and {len(told) - _MAX_LINES} more lines"]
    return Difference(ref=then.ref, created=live is None, text="\n".join(told))


def _lines(raw: Json) -> list[str]:
    shown: dict[str, Any] = {key: value for key, value in raw.items() if key != "status"}
    metadata = mapping_of(raw.get("metadata"))
    shown["metadata"] = {key: value for key, value in metadata.items() if key not in _KEPT_BY_THE_SERVER}
    if raw.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if isinstance(raw.get(field), Mapping):
                shown[field] = dict.fromkeys(raw[field], _MASK)
    return yaml.safe_dump(shown, sort_keys=True).splitlines()
