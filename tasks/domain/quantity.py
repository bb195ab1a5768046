"""Kubernetes quantities (`100m`, `1.5Gi`, `3`) as numbers.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re

_FACTORS = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip
_QUANTITY = re.compile(r"^([+-]?\d+(?:\.\d+)?)(?:[eE]([+-]?\d+))?([a-zA-Z]{0,2})$")


def amount(text: object) -> float | None:
    """The number of cores, bytes or pieces, `None` for what is no quantity."""
    found = _QUANTITY.match(str(text).strip())
    if found is None or found[3] not in _FACTORS:
        return None
    return float(float(found[1]) * 10 ** int(found[2] or 0) * _FACTORS[found[3]])
