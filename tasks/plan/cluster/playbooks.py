"""Which remedies are tried against which failure of a cluster, in order; explicit, one row a class."""

from collections.abc import Mapping
from types import MappingProxyType

from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_state import CLUSTER_DNS
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Remedy

_BACK = (Remedy.ROLL_BACK_ROLLOUT,)
_PATCH = (Remedy.PATCH_WORKLOAD, Remedy.ROLL_BACK_ROLLOUT)
_JOB = (Remedy.RECREATE_JOB,)
_BACK_OR_RESTART = (Remedy.ROLL_BACK_ROLLOUT, Remedy.RESTART_ROLLOUT)
CLUSTER_PLAYBOOKS: Mapping[F, tuple[Remedy, ...]] = MappingProxyType(
    {
        F.K8S_CRASH_ENV: (*_PATCH, *_JOB),
        F.K8S_CRASH_CONFIG: (*_PATCH, Remedy.RESTART_ROLLOUT, *_JOB),
        F.K8S_CRASH_DEP: (
            Remedy.REAPPLY_OBJECT,
            Remedy.SCALE_WORKLOAD,
            Remedy.RESTART_ROLLOUT,
            *_JOB,
        ),
        F.K8S_CRASH_CMD: (*_PATCH, *_JOB),
        F.K8S_CRASH_PERM: _BACK,
        F.K8S_CRASH_APP: (*_BACK, Remedy.SUSPEND_CRON_JOB, *_JOB),
        F.K8S_CRASH_LIVENESS: _PATCH,
        F.K8S_IMAGE_NOTFOUND: (*_PATCH, *_JOB),
        F.K8S_IMAGE_AUTH: (*_PATCH, *_JOB),
        F.K8S_IMAGE_NEVER: (*_PATCH, *_JOB),
        F.K8S_IMAGE_RATE: _JOB,
        F.K8S_OOM: (*_BACK_OR_RESTART, Remedy.SIZE_RESOURCES, *_JOB),
        F.K8S_PROBE_READY: (*_PATCH, Remedy.RESTART_ROLLOUT),
        F.K8S_CONFIG_KEY: _PATCH,
        F.K8S_MOUNT: (Remedy.REAPPLY_OBJECT, *_PATCH),
        F.K8S_PENDING_RES: (*_BACK, Remedy.SIZE_RESOURCES),
        F.K8S_PENDING_AFFINITY: _BACK,
        F.DEP_ROLLOUT_TIMEOUT: _BACK,
        F.DEP_SMOKE: _BACK,
        F.DEP_APPLY_INVALID: _JOB,
        F.K8S_SVC_SELECTOR: (
            Remedy.REAPPLY_OBJECT,
            Remedy.PATCH_SERVICE,
            Remedy.SCALE_WORKLOAD,
        ),
        F.K8S_CERT: (Remedy.REAPPLY_OBJECT,),
        F.K8S_SVC_PORT: (Remedy.PATCH_SERVICE,),
        F.K8S_SANDBOX: (Remedy.DELETE_POD, *_JOB),
        F.K8S_NODE_PRESSURE: (Remedy.DELETE_POD, *_JOB),
        F.K8S_PENDING_UNSCHED: (Remedy.UNCORDON_NODE,),
        F.K8S_JOB: (Remedy.SUSPEND_CRON_JOB, *_JOB),
        F.K8S_DNS: (Remedy.RESTART_COREDNS,),
    }
)
"""What is tried against a class in a cluster; a class that is not listed is reported and nothing else."""
_DNS_AILS = frozenset(
    {
        F.K8S_DNS,
        F.K8S_PROBE_READY,
        F.K8S_CRASH_CONFIG,
        F.K8S_CRASH_DEP,
        F.K8S_CRASH_APP,
        F.K8S_CRASH_LIVENESS,
        F.K8S_OOM,
    }
)


def playbook_for(found: F, target: ObjectRef) -> tuple[Remedy, ...]:
    """The remedies to try, in order. Of the cluster's DNS nothing is changed, whatever ails it: it may be restarted."""
    if target == CLUSTER_DNS:
        return (Remedy.RESTART_COREDNS,) if found in _DNS_AILS else ()
    return CLUSTER_PLAYBOOKS.get(found, ())
