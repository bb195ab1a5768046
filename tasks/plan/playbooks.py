"""The playbooks: which remedies are tried against which failure class, in order.

A class that is not listed is reported and nothing else. A remedy that does not fit a case is passed over with its
reason; the last resort is always the report.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Remedy

_RERUN = (Remedy.RERUN_FAILED_JOBS,)
_BUMP = (Remedy.RERUN_FAILED_JOBS, Remedy.BUMP_DEPENDENCY)  # a scanner that failed itself runs again
_REVERT = (Remedy.REVERT_COMMIT,)

PLAYBOOKS: Mapping[FailureClass, tuple[Remedy, ...]] = MappingProxyType(
    {
        FailureClass.CI_TEST_ASSERT: _REVERT,
        FailureClass.CI_TEST_FLAKY: (Remedy.RERUN_FAILED_JOBS, Remedy.QUARANTINE_TEST),
        FailureClass.CI_TEST_COLLECT: (Remedy.ADD_DEPENDENCY,),
        FailureClass.CI_DEP_PIP: (Remedy.RERUN_FAILED_JOBS, Remedy.PIN_DEPENDENCY),
        FailureClass.CI_DEP_NPM: _RERUN,
        FailureClass.CI_DEP_MAVEN: _RERUN,
        FailureClass.CI_DEP_OS: _RERUN,
        FailureClass.CI_LINT: (Remedy.RUN_FORMATTER, Remedy.REVERT_COMMIT),
        FailureClass.CI_TYPE: _REVERT,
        FailureClass.CI_COMPILE: _REVERT,
        FailureClass.CI_DOCKER_BUILD: _RERUN,
        FailureClass.CI_OOM: _RERUN,
        FailureClass.CI_TIMEOUT: _RERUN,
        FailureClass.CI_RUNNER_LOST: _RERUN,
        FailureClass.CI_NET_DNS: _RERUN,
        FailureClass.CI_NET_CONN: _RERUN,
        FailureClass.CI_RATE: _RERUN,
        FailureClass.CI_ARTIFACT: _RERUN,
        FailureClass.SEC_TRIVY: _BUMP,
        FailureClass.SEC_SNYK: _BUMP,
    }
)

_UPGRADE = "Upgrade what is vulnerable; accept a risk only with an end date, and leave the threshold as it is."
ADVICE: Mapping[FailureClass, str] = MappingProxyType(
    {
        FailureClass.CI_TEST_ASSERT: "Compare the failing test with the suspect commits.",
        FailureClass.CI_TEST_FLAKY: "Repair the test, or quarantine it with an end date.",
        FailureClass.CI_TEST_COLLECT: "Install what the tests import, or correct the import.",
        FailureClass.CI_DEP_PIP: "Choose versions that exist and agree; a wrong hash is a case for a security review.",
        FailureClass.CI_DEP_NPM: "Update the lock file; a wrong checksum is a case for a security review.",
        FailureClass.CI_DEP_GO: "Run 'go mod tidy' and commit the result; never switch the checksum database off.",
        FailureClass.CI_DEP_OTHER: "Choose versions that exist and agree, and commit the lock file.",
        FailureClass.CI_DISK: "Free space on the runner, or give the job a larger disk.",
        FailureClass.CI_OOM: "Give the job more memory, or run fewer things at once.",
        FailureClass.CI_TIMEOUT: "Find what hangs or has become slow; the limit itself stays.",
        FailureClass.CI_COMMAND: "Install the command in the job, or correct its name.",
        FailureClass.CI_SECRET_MISSING: "Add the secret or variable to the repository; Healflow never handles secrets.",
        FailureClass.CI_AUTH_EXPIRED: "Renew the credential.",
        FailureClass.CI_PERM: "Grant the job the one permission it lacks.",
        FailureClass.CI_CONFIG: "Correct the workflow file.",
        FailureClass.CI_RATE: "Authenticate the requests, or use a mirror.",
        FailureClass.CI_NET_DNS: "Check the name and the resolver of the runner.",
        FailureClass.CI_NET_CONN: "Check whether the other side is up.",
        FailureClass.SEC_TRIVY: _UPGRADE,
        FailureClass.SEC_SNYK: _UPGRADE,
        FailureClass.SEC_SECRET: "Revoke the secret now, then take it out of the history: deleting it hides nothing.",
        FailureClass.SEC_POLICY: "Change what breaks the policy, or ask its owner for an exception with an end date.",
        FailureClass.CI_DEP_MAVEN: "Choose a version that the repository has, or put the repository right.",
        FailureClass.CI_DEP_OS: "Run 'apt-get update' before the installation, or correct the package's name.",
        FailureClass.CI_LINT: "Run the linter here and correct what it names; its rules stay.",
        FailureClass.CI_TYPE: "Correct the type error where it is named.",
        FailureClass.CI_COMPILE: "Correct the error where it is named, or pin the toolchain it was written for.",
        FailureClass.CI_DOCKER_BUILD: "Correct the instruction of the Dockerfile that failed, or its build context.",
        FailureClass.CI_IMAGE_PULL: "Name an image and tag that exist for this platform.",
        FailureClass.CI_REGISTRY_AUTH: "Log in before the image is pulled or pushed, with an account that may.",
        FailureClass.CI_SIGNAL: "Look for the crash's first frame in the log; run the command under a debugger.",
        FailureClass.CI_RUNNER_LOST: "Use a runner that is not reclaimed, or make the job shorter.",
        FailureClass.CI_ARTIFACT: "Check that the job which makes the artifact ran, and the path it uploads.",
        FailureClass.CI_GIT: "Bring the branch up to date with the one it is pushed to.",
        FailureClass.CI_LOG_TRUNCATED: "Make the job less verbose, and read the whole log from its archive.",
        FailureClass.TF_LOCK: "Find out who holds the lock; break it only if that run is provably over.",
        FailureClass.TF_AUTH: "Renew the session or the credentials of the provider.",
        FailureClass.TF_IAM: "Grant the one permission that the message names.",
        FailureClass.TF_QUOTA: "Remove what is left over, or ask the provider for a higher quota.",
        FailureClass.TF_CONFIG: "Correct the configuration at the line that is named.",
        FailureClass.TF_PROVIDER: "Run 'terraform init -upgrade' and commit the lock file.",
        FailureClass.TF_STATE: "Use the version of Terraform that wrote the state, or restore a version of the state.",
        FailureClass.TF_ORPHAN: "Remove what still depends on it first.",
        FailureClass.TF_SPOT_CAPACITY: "Try another zone or instance type.",
        FailureClass.TF_SPOT_LIMIT: "Ask for a higher quota, or use a smaller instance type.",
        FailureClass.API_UNREACHABLE: "Check that the cluster is up and its address the one in the configuration.",
        FailureClass.K8S_CRASH_ENV: "Set the variable that the program asks for.",
        FailureClass.K8S_CRASH_CONFIG: "Correct the configuration that the program refuses, and start its pods anew.",
        FailureClass.K8S_CRASH_DEP: "Heal the dependency; its victims recover by themselves.",
        FailureClass.K8S_CRASH_CMD: "Correct the command, or use an image that has it and is built for the node.",
        FailureClass.K8S_CRASH_PERM: "Give the program a folder it may write to, or the user it expects.",
        FailureClass.K8S_CRASH_APP: "Read the trace in the log of the container before; correct the program.",
        FailureClass.K8S_CRASH_LIVENESS: "Give the start more time by a startup probe, or correct what the probe asks.",
        FailureClass.K8S_IMAGE_NOTFOUND: "Name an image and tag that exist.",
        FailureClass.K8S_IMAGE_AUTH: "Give the namespace a pull secret that may read the image.",
        FailureClass.K8S_IMAGE_RATE: "Wait, pull with an account, or use a mirror.",
        FailureClass.K8S_IMAGE_NEVER: "Load the image onto the node, or let it be pulled.",
        FailureClass.K8S_OOM: "Compare the use over time: raise the limit for a need, repair the program for a leak.",
        FailureClass.K8S_PROBE_READY: "Correct the path or port of the probe, or the program that does not answer.",
        FailureClass.K8S_PENDING_RES: "Lower what is asked for to what is used, or add a node.",
        FailureClass.K8S_PENDING_TAINT: "Tolerate the taint, or take it off the node.",
        FailureClass.K8S_PENDING_AFFINITY: "Correct the selector or affinity, or label a node.",
        FailureClass.K8S_PENDING_UNSCHED: "Find out who cordoned the node and why; then uncordon it, or add one.",
        FailureClass.K8S_PENDING_PVC: "Create the claim, or name a storage class that exists; keep what has data.",
        FailureClass.K8S_MOUNT: "Create the object that is missing, or correct its name.",
        FailureClass.K8S_CONFIG_KEY: "Add the key that is missing, or correct its name.",
        FailureClass.K8S_SVC_SELECTOR: "Give the Service the labels of its pods, or start pods.",
        FailureClass.K8S_SVC_PORT: "Let the Service send to the port that its pods listen on.",
        FailureClass.K8S_NETPOL: "Allow exactly the traffic that is needed; a policy that denies the rest stays.",
        FailureClass.K8S_DNS: "Look at CoreDNS and at what may reach it.",
        FailureClass.K8S_QUOTA: "Lower what is asked for, or ask the owner of the quota.",
        FailureClass.K8S_LIMITRANGE: "Ask for sizes within the range, or ask its owner to change it.",
        FailureClass.K8S_ADMISSION_WEBHOOK: "Change what the webhook refuses; where it is down, put it right.",
        FailureClass.K8S_ADMISSION_PSS: "Change the security context to what the namespace allows; the level stays.",
        FailureClass.K8S_RBAC: "Grant the account the one verb that it lacks, on the one resource.",
        FailureClass.K8S_NODE_NOTREADY: "Look at the node and its kubelet; replace it when it is gone.",
        FailureClass.K8S_NODE_PRESSURE: "Free space or memory on the node, and move or limit what fills it.",
        FailureClass.K8S_SANDBOX: "Look at the network plugin of the node and at its free addresses.",
        FailureClass.K8S_HPA: "Give the workload requests to measure against, or put the metrics right.",
        FailureClass.K8S_JOB: "Read the log of its last pod; correct the job before it runs again.",
        FailureClass.K8S_CERT: "Renew the certificate, or put its issuer right.",
        FailureClass.K8S_SLOW: "Compare with the revision before; look at the slowest dependency.",
        FailureClass.DEP_ROLLOUT_TIMEOUT: "Find out why the pods of the new revision are not ready.",
        FailureClass.DEP_NO_ROLLBACK: "Fix it forward: there is no earlier revision.",
        FailureClass.DEP_APPLY_INVALID: "Correct the field that is named; what is immutable is made anew by a person.",
        FailureClass.DEP_CONFLICT: "Find out who else writes the field, and let one of both own it.",
        FailureClass.DEP_API: "Use the version of the API that the cluster serves, or install its definition.",
        FailureClass.DEP_HELM: "Wait for the operation that runs, or roll the release back.",
        FailureClass.DEP_DRIFT: "Bring the cluster and git together again, in one direction.",
        FailureClass.DEP_SMOKE: "Look at the part that answered wrongly; roll back if the new revision is to blame.",
        FailureClass.UNKNOWN: "No rule explains the failure; read the quoted lines and the log.",
    }
)
"""What a person can do where no remedy fits."""
