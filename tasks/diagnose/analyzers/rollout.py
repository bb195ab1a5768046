"""What a deploy job prints when the cluster refuses its pods; the cluster's own triage says more."""

from tasks.domain.failure_class import FailureClass
from tasks.domain.signature import Signature

SIGNATURES = (
    Signature(
        name="rollout.taint",
        failure_class=FailureClass.K8S_PENDING_TAINT,
        pattern=r"nodes are available: .*had untolerated taint",
        cause="No node takes the pod: a taint that it does not tolerate.",
        rank=7,
        confidence=0.8,
    ),
    Signature(
        name="rollout.volume",
        failure_class=FailureClass.K8S_PENDING_PVC,
        pattern=r"nodes are available: .*(?:volume node affinity conflict|unbound immediate PersistentVolumeClaims)",
        cause="No node can mount the pod's volume.",
        rank=7,
        confidence=0.8,
    ),
    Signature(
        name="rollout.resources",
        failure_class=FailureClass.K8S_PENDING_RES,
        pattern=r"nodes are available: .*Insufficient (?P<name>[\w./-]+)",
        cause="No node has enough {name} left for the pod.",
        rank=8,
        confidence=0.8,
    ),
    Signature(
        name="rollout.liveness",
        failure_class=FailureClass.K8S_CRASH_LIVENESS,
        pattern=r"Liveness probe failed: |failed liveness probe, will be restarted",
        cause="The container is restarted because its liveness probe fails.",
        rank=9,
        confidence=0.75,
    ),
)
