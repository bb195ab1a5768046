"""Opens a node for pods again that Healflow itself had closed; what a person closed stays closed."""

from collections.abc import Sequence

from tasks.act.cluster_change import ChangeEngine, Operation, TargetParameters, change_spec, pointer_step
from tasks.act.context import ClusterContext
from tasks.domain.cluster import KubeObject
from tasks.domain.cluster_state import CORDONED_BY
from tasks.domain.plan import Remedy, Risk
from tasks.errors import ForbiddenError


def _derive(_context: ClusterContext, _wanted: TargetParameters, live: KubeObject) -> Sequence[Operation]:
    if live.spec.get("unschedulable") is True and not live.annotations.get(CORDONED_BY):
        raise ForbiddenError(f"{live.ref} was cordoned by somebody else, who has to open it again")
    return (
        Operation(op="remove", path="/spec/unschedulable"),
        Operation(op="remove", path=f"/metadata/annotations/{pointer_step(CORDONED_BY)}"),
    )


SPEC = change_spec(
    Remedy.UNCORDON_NODE,
    Risk.MEDIUM,
    ChangeEngine(parameters=TargetParameters, kinds=("Node",), derive=_derive, done="was opened for pods again"),
)
