"""The drafter of each remedy of a cluster."""

from collections.abc import Mapping
from types import MappingProxyType

from tasks.domain.plan import Remedy
from tasks.plan.cluster.delete_pod import delete_pod
from tasks.plan.cluster.drafting import BoundedDrafter, ClusterDrafter
from tasks.plan.cluster.patch_service import patch_service
from tasks.plan.cluster.patch_workload import patch_workload
from tasks.plan.cluster.reapply_object import reapply_object
from tasks.plan.cluster.recreate_job import recreate_job
from tasks.plan.cluster.restart import restart_rollout
from tasks.plan.cluster.roll_back import roll_back_rollout
from tasks.plan.cluster.scale import scale_workload
from tasks.plan.cluster.size import size_resources
from tasks.plan.cluster.switching import restart_coredns, suspend_cron_job, uncordon_node

CLUSTER_DRAFTERS: Mapping[Remedy, ClusterDrafter] = MappingProxyType(
    {
        Remedy.ROLL_BACK_ROLLOUT: roll_back_rollout,
        Remedy.PATCH_SERVICE: patch_service,
        Remedy.PATCH_WORKLOAD: patch_workload,
        Remedy.RESTART_ROLLOUT: restart_rollout,
        Remedy.DELETE_POD: delete_pod,
        Remedy.UNCORDON_NODE: uncordon_node,
        Remedy.SUSPEND_CRON_JOB: suspend_cron_job,
        Remedy.RESTART_COREDNS: restart_coredns,
        Remedy.REAPPLY_OBJECT: reapply_object,
        Remedy.RECREATE_JOB: recreate_job,
    }
)
BOUNDED_DRAFTERS: Mapping[Remedy, BoundedDrafter] = MappingProxyType(
    {
        Remedy.SIZE_RESOURCES: size_resources,
        Remedy.SCALE_WORKLOAD: scale_workload,
    }
)
