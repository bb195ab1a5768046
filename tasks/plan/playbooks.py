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
        FailureClass.UNKNOWN: "No rule explains the failure; read the quoted lines and the log.",
    }
)
"""What a person can do where no remedy fits."""
