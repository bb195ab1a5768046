"""Gives the containers of a workload another limit or request, within bounds, never beyond what was measured for."""

from collections.abc import Sequence

from tasks.act.cluster_change import (
    MISSING,
    ROLLING_KINDS,
    ChangeEngine,
    Operation,
    PatchObjectParameters,
    change_spec,
    only_paths,
    value_at,
)
from tasks.act.context import ClusterContext
from tasks.domain.cluster import KubeObject
from tasks.domain.plan import Remedy, Risk
from tasks.domain.quantity import amount
from tasks.errors import PermanentError

_MIB = 2**20
_PLACES = only_paths(r"/spec/template/spec/containers/\d+/resources/(?:limits/memory|requests/(?:memory|cpu))")


def _derive(context: ClusterContext, wanted: PatchObjectParameters, live: KubeObject) -> Sequence[Operation]:
    operations = _PLACES(context, wanted, live)
    for row in operations:
        _require_within(context, live, row)
    return operations


def _require_within(context: ClusterContext, live: KubeObject, row: Operation) -> None:
    """Raises:
    PermanentError: the size is none, nothing was set before, or it is more than the bounds allow.
    """
    bounds = context.settings.bounds
    new, old = amount(row.value), amount(value_at(live.raw, row.path))
    if row.op != "set" or new is None or new <= 0 or value_at(live.raw, row.path) is MISSING or old is None:
        raise PermanentError(f"{row.path} cannot become {str(row.value)[:40]!r}: only a size that is set is changed")
    if new > old * bounds.max_factor:
        raise PermanentError(f"{row.value} is more than {bounds.max_factor} times what {live.ref} has")
    if row.path.endswith("/memory") and new > max(old, bounds.max_memory_mib * _MIB):
        raise PermanentError(f"{row.value} is more than the {bounds.max_memory_mib} MiB that a container may have")
    if row.path.endswith("/cpu") and new > old:
        raise PermanentError("a request of cores is only ever lowered")


SPEC = change_spec(
    Remedy.SIZE_RESOURCES,
    Risk.MEDIUM,
    ChangeEngine(parameters=PatchObjectParameters, kinds=ROLLING_KINDS, derive=_derive, done="was sized anew"),
)
