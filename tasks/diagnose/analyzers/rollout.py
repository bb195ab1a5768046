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
    ),
    Signature(
        name="rollout.volume",
        failure_class=FailureClass.K8S_PENDING_PVC,
        pattern=r"nodes are available: .*(?:volume node affinity conflict|unbound immediate PersistentVolumeClaims|persistentvolumeclaim \"[^\"]+\" not found)",
        cause="No node can mount the pod's volume.",
        rank=7,
    ),
    Signature(
        name="rollout.resources",
        failure_class=FailureClass.K8S_PENDING_RES,
        pattern=r"nodes are available: .*Insufficient (?P<name>[\w./-]+)",
        cause="No node has enough {name} left for the pod.",
        rank=8,
    ),
    Signature(
        name="rollout.liveness",
        failure_class=FailureClass.K8S_CRASH_LIVENESS,
        pattern=r"Liveness probe failed: |failed liveness probe, will be restarted",
        cause="The container is restarted because its liveness probe fails.",
        rank=9,
    ),
    Signature(
        name="rollout.helm",
        failure_class=FailureClass.DEP_HELM,
        pattern=r"another operation \(install/upgrade/rollback\) is in progress|Error: (?:UPGRADE|INSTALLATION) FAILED: |has no deployed releases|cannot re-use a name that is still in use",
        cause="Helm cannot install or upgrade the release.",
        rank=48,
    ),
    Signature(
        name="rollout.timeout",
        failure_class=FailureClass.DEP_ROLLOUT_TIMEOUT,
        pattern=r"^error: timed out waiting for the condition|exceeded its progress deadline|UPGRADE FAILED: .*(?:timed out waiting|context deadline exceeded)",
        cause="The rollout did not become ready in time.",
        rank=30,
    ),
    Signature(
        name="rollout.quota",
        failure_class=FailureClass.K8S_QUOTA,
        pattern=r"exceeded quota: (?P<name>[^,\s]+), requested",
        cause="A resource quota of the namespace is used up: {name}.",
        rank=8,
    ),
    Signature(
        name="rollout.mount",
        failure_class=FailureClass.K8S_MOUNT,
        pattern=r"MountVolume\.SetUp failed|(?:configmap|secret) \"(?P<name>[^\"]+)\" not found",
        cause="A ConfigMap or Secret that the pod needs is not there: {name}.",
        rank=9,
    ),
    Signature(
        name="rollout.webhook",
        failure_class=FailureClass.K8S_ADMISSION_WEBHOOK,
        pattern=r"admission webhook \"(?P<name>[^\"]+)\" denied the request|failed calling webhook",
        cause="An admission webhook refused the object: {name}.",
        rank=9,
    ),
    Signature(
        name="rollout.rbac",
        failure_class=FailureClass.K8S_RBAC,
        pattern=r"Error from server \(Forbidden\)|User \"(?P<name>[^\"]+)\" cannot \w+ resource",
        cause="The account of the job may not do this in the cluster: {name}.",
        rank=9,
    ),
    Signature(
        name="rollout.image",
        failure_class=FailureClass.K8S_IMAGE_NOTFOUND,
        pattern=r"\b(?:ImagePullBackOff|ErrImagePull)\b|\bWarning\s+Failed\s.*Failed to pull image \"(?P<name>[^\"]+)",
        cause="The cluster cannot pull an image.",
        rank=14,
    ),
    Signature(
        name="rollout.invalid",
        failure_class=FailureClass.DEP_APPLY_INVALID,
        pattern=r"error: unable to recognize|error validating data|strict decoding error: |field is immutable|no matches for kind \"(?P<name>[^\"]+)|The \w+ \"[^\"]+\" is invalid: ",
        cause="The cluster refuses the manifest: {name}.",
        rank=20,
    ),
    Signature(
        name="rollout.api",
        failure_class=FailureClass.API_UNREACHABLE,
        pattern=r"Kubernetes cluster unreachable|The connection to the server \S+ was refused|Unable to connect to the server: ",
        cause="The API server of the cluster cannot be reached.",
        rank=13,
    ),
)
