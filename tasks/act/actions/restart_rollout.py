"""Starts the pods of a workload anew, one after the other, as `kubectl rollout restart` does."""

from collections.abc import Sequence

from pydantic import Field

from tasks.act.cluster_change import ROLLING_KINDS, ChangeEngine, Operation, TargetParameters, change_spec, pointer_step
from tasks.act.context import ClusterContext
from tasks.domain.cluster import KubeObject
from tasks.domain.plan import Remedy, Risk

_ANNOTATIONS = "/spec/template/metadata/annotations"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""A change of it is a new revision: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/kubectl_rollout_restart/"""


class RestartParameters(TargetParameters):
    """The workload, and the moment that its new pods are marked with."""

    at: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def _derive(_context: ClusterContext, wanted: RestartParameters, _live: KubeObject) -> Sequence[Operation]:
    return (Operation(path=f"{_ANNOTATIONS}/{pointer_step(RESTARTED_AT)}", value=wanted.at),)


SPEC = change_spec(
    Remedy.RESTART_ROLLOUT,
    Risk.MEDIUM,
    ChangeEngine(parameters=RestartParameters, kinds=ROLLING_KINDS, derive=_derive, done="was restarted"),
)
