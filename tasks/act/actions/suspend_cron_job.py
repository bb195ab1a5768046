"""Keeps a CronJob that fails again and again from starting more jobs."""

from collections.abc import Sequence

from tasks.act.cluster_change import ChangeEngine, Operation, TargetParameters, change_spec
from tasks.act.context import ClusterContext
from tasks.domain.cluster import KubeObject
from tasks.domain.plan import Remedy, Risk


def _derive(_context: ClusterContext, _wanted: TargetParameters, _live: KubeObject) -> Sequence[Operation]:
    return (Operation(path="/spec/suspend", value=True),)


SPEC = change_spec(
    Remedy.SUSPEND_CRON_JOB,
    Risk.MEDIUM,
    ChangeEngine(parameters=TargetParameters, kinds=("CronJob",), derive=_derive, done="was suspended"),
)
