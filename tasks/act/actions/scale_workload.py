"""Starts pods of a workload that was scaled down, within bounds; what an autoscaler scales is left to it."""

from collections.abc import Sequence

from pydantic import Field

from tasks.act.cluster_change import ChangeEngine, Operation, TargetParameters, change_spec
from tasks.act.context import ClusterContext
from tasks.act.spec import Right
from tasks.domain.cluster import KubeObject, dig, mapping_of
from tasks.domain.plan import Remedy, Risk
from tasks.errors import PermanentError

_KINDS = ("Deployment", "StatefulSet")


class ScaleParameters(TargetParameters):
    """The workload, and how many pods it is to have."""

    replicas: int = Field(ge=1, le=1000)


def _derive(context: ClusterContext, wanted: ScaleParameters, live: KubeObject) -> Sequence[Operation]:
    bounds = context.settings.bounds
    current = live.spec.get("replicas")
    most = bounds.max_replicas
    if isinstance(current, int) and current > 0 and current != wanted.replicas:
        most = min(most, int(current * bounds.max_factor))
    if wanted.replicas > most:
        raise PermanentError(f"{live.ref} may have at most {most} replicas, not {wanted.replicas}")
    if isinstance(current, int) and wanted.replicas < current:
        raise PermanentError(f"{live.ref} is never scaled down")
    for raw in context.cluster.list_raw("HorizontalPodAutoscaler", namespace=live.namespace):
        scales = mapping_of(dig(raw, "spec", "scaleTargetRef"))
        if (scales.get("kind"), scales.get("name")) == (live.kind, live.name):
            raise PermanentError(f"{live.ref} is scaled by an autoscaler, and left to it")
    return (Operation(path="/spec/replicas", value=wanted.replicas),)


SPEC = change_spec(
    Remedy.SCALE_WORKLOAD,
    Risk.MEDIUM,
    ChangeEngine(parameters=ScaleParameters, kinds=_KINDS, derive=_derive, done="was scaled"),
    also=(Right(group="autoscaling", resource="horizontalpodautoscalers", verbs=("list",)),),
)
