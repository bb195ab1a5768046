"""Gives a workload the pod template of an earlier revision again, which the cluster itself still keeps."""

from collections.abc import Sequence

from pydantic import Field

from tasks.act.cluster_change import ROLLING_KINDS, ChangeEngine, Operation, TargetParameters, change_spec
from tasks.act.context import ClusterContext
from tasks.act.revisions import kept_template
from tasks.act.spec import Right
from tasks.domain.cluster import KubeObject
from tasks.domain.plan import Remedy, Risk


class RollBackParameters(TargetParameters):
    """The earlier revision: a ReplicaSet of a Deployment, a ControllerRevision of the others."""

    revision: str = Field(min_length=1)
    revision_uid: str = Field(min_length=1)


def _derive(context: ClusterContext, wanted: RollBackParameters, live: KubeObject) -> Sequence[Operation]:
    return (Operation(path="/spec/template", value=kept_template(context, live, wanted.revision, wanted.revision_uid)),)


SPEC = change_spec(
    Remedy.ROLL_BACK_ROLLOUT,
    Risk.MEDIUM,
    ChangeEngine(parameters=RollBackParameters, kinds=ROLLING_KINDS, derive=_derive, done="was rolled back"),
    also=(
        Right(group="apps", resource="replicasets", verbs=("get",)),
        Right(group="apps", resource="controllerrevisions", verbs=("get",)),
    ),
)
