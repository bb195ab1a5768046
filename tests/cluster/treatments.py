"""What is done about each planted fault: the remedy that is safe, or why there is none and the cause is only reported.

A fault is planted as it is, or breaks what ran well before it; the heals of all of them run side by side.
"""

from tasks.domain.base import Noun
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Remedy
from tests.cluster.faults import (
    CART,
    ENV_CRASH,
    FAULTS,
    MEMORY,
    PROBE,
    READY,
    SERVER,
    Fault,
    Manifest,
    container,
    deployment,
    manifest,
    pod_spec,
)

SERVED, SLEPT = deployment(container(SERVER, readinessProbe=READY)), deployment()
_DECLARED = [{"containerPort": 8080, "name": "http"}]


class Treatment(Noun):
    """One fault, and what becomes of it."""

    fault: Fault
    good: tuple[Manifest, ...] = ()
    """What ran before, and was broken by the fault; empty where the fault was there from the beginning."""
    verified: bool = False
    """Whether a deploy had verified what ran before. It tells of itself that it works only as long as it has pods,
    and a container that serves for a moment before it fails has them all replaced."""
    remedies: tuple[Remedy, ...] = ()
    """One a heal: where there are more, the failure came back after the one before."""
    lasts_seconds: float = 0.0
    """How long after the last heal nothing may be started again."""
    because: str = ""
    """Why nothing is changed, where there is no remedy."""
    reports: int = 1
    """How many heals in a row there are of it then."""


def _planted(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


def _rolled_back(name: str, *good: Manifest, verified: bool = False) -> Treatment:
    return Treatment(
        fault=_planted(name), good=good or (SLEPT,), verified=verified, remedies=(Remedy.ROLL_BACK_ROLLOUT,)
    )


def _reported(name: str, because: str, *, reports: int = 1) -> Treatment:
    return Treatment(fault=_planted(name), because=because, reports=reports)


def _service(target_port: int | str) -> Manifest:
    ports = [{"port": 80, "targetPort": target_port}]
    return manifest("Service", "cart", spec={"selector": {"app": "cart"}, "ports": ports})


def _probing(**probes: Manifest) -> Manifest:
    return deployment(container(SERVER, ports=_DECLARED, **probes))


def scaled_to(replicas: int, workload: Manifest) -> Manifest:
    """A workload with so many pods."""
    return {**workload, "spec": {**workload["spec"], "replicas": replicas}}


def _cron_job(command: str) -> Manifest:
    template = {"spec": pod_spec(container(command), restartPolicy="Never")}
    spec = {
        "schedule": "0 0 1 1 *",
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": {"backoffLimit": 0, "template": template}},
    }
    return manifest("CronJob", "report", "batch/v1", spec=spec)


_OF_FAULTS = (
    _rolled_back("image"),
    _rolled_back(
        "no-env", deployment(container(ENV_CRASH, env=[{"name": "SHOP_REGION", "value": "eu"}])), verified=True
    ),
    _rolled_back("no-config"),
    _reported("no-secret", "nothing tells what a Secret held that was there from the beginning or never"),
    _rolled_back("no-key", manifest("Secret", "login", type="Opaque", data={"user": "YQ=="}), SLEPT),
    Treatment(fault=_planted("selector"), remedies=(Remedy.PATCH_SERVICE,)),
    _reported("quota", "a quota is somebody's limit, and is never raised to make something pass"),
    _rolled_back("too-big"),
    _reported("claim", "which class a volume is to have is its owner's to say, and a claim may hold data"),
    _reported("netpol", "a policy that denies traffic is a security setting, and is never deleted"),
    _reported("peer", "a policy that denies traffic is a security setting, and is never deleted"),
    _rolled_back("readiness", deployment(container(readinessProbe={"exec": {"command": ["true"]}}))),
    _rolled_back("liveness", verified=True),
    _rolled_back("memory", deployment(container(resources=MEMORY)), verified=True),
    _rolled_back("init"),
    _reported("job", "how much of its work a job did before it failed is not known"),
    _reported("scaler", "how much a workload is to ask for is its owner's to say"),
    _rolled_back("affinity"),
    _reported("rights", "no right is ever granted"),
    _rolled_back("command"),
    _reported("private", "no credentials are given, and another try is refused as well", reports=2),
    _reported("limited", "whoever asks again is limited for longer; the kubelet waits by itself", reports=2),
)
NEEDS = "import time; held = b'x' * (33 << 20); time.sleep(35); more = b'x' * (12 << 20); time.sleep(3600)"
"""Less than a limit of 44 MiB for a while, and then more; it is no leak, which would grow on."""
ASK = "while sleep 1; do curl -sS -m 3 -o /dev/null http://cart:8080/ || exit 1; done"
_SLOW = (
    Treatment(
        fault=Fault(
            name="needs-more",
            objects=(
                deployment(
                    {
                        "name": "app",
                        "image": "python:3.12-slim",
                        "command": ["python", "-c", NEEDS],
                        "resources": {"requests": {"memory": "44Mi"}, "limits": {"memory": "44Mi"}},
                    }
                ),
            ),
            expected=F.K8S_OOM,
            targets=CART,
        ),
        remedies=(Remedy.RESTART_ROLLOUT, Remedy.SIZE_RESOURCES),
        lasts_seconds=40,
    ),
    Treatment(
        fault=Fault(
            name="scaled-down",
            objects=(
                scaled_to(0, deployment(container(SERVER))),
                manifest("Service", "cart", spec={"selector": {"app": "cart"}, "ports": [{"port": 8080}]}),
                deployment(container(ASK, image="curlimages/curl:latest"), name="checkout"),
            ),
            expected=F.K8S_SVC_SELECTOR,
            targets=CART,
        ),
        remedies=(Remedy.SCALE_WORKLOAD,),
    ),
)
_MORE = (
    Treatment(
        fault=Fault(
            name="probe-port",
            objects=(_probing(readinessProbe=PROBE),),
            expected=F.K8S_PROBE_READY,
            targets=CART,
        ),
        remedies=(Remedy.PATCH_WORKLOAD,),
    ),
    Treatment(
        fault=Fault(
            name="alive-port",
            objects=(_probing(livenessProbe=PROBE),),
            expected=F.K8S_CRASH_LIVENESS,
            targets=CART,
        ),
        remedies=(Remedy.PATCH_WORKLOAD,),
    ),
    Treatment(
        fault=Fault(
            name="two-places",
            objects=(
                deployment(
                    container(
                        SERVER,
                        image="busybox:1.36.typo",
                        readinessProbe=READY,
                        env=[{"name": "GREETING", "value": "hi"}],
                    )
                ),
            ),
            expected=F.K8S_IMAGE_NOTFOUND,
            targets=CART,
        ),
        good=(SERVED,),
        remedies=(Remedy.PATCH_WORKLOAD,),
    ),
    Treatment(
        fault=Fault(
            name="port-name",
            objects=(_probing(readinessProbe=READY), _service("htp")),
            expected=F.K8S_SVC_PORT,
            targets=("Service/cart",),
        ),
        remedies=(Remedy.PATCH_SERVICE,),
    ),
    Treatment(
        fault=Fault(
            name="node-selector",
            objects=(deployment(container(), nodeSelector={"pool": "nowhere"}),),
            expected=F.K8S_PENDING_AFFINITY,
            targets=CART,
        ),
        good=(SLEPT,),
        remedies=(Remedy.ROLL_BACK_ROLLOUT,),
    ),
    Treatment(
        fault=Fault(
            name="private-release",
            objects=_planted("private").objects,
            expected=F.K8S_IMAGE_AUTH,
            targets=CART,
        ),
        good=(SLEPT,),
        remedies=(Remedy.ROLL_BACK_ROLLOUT,),
    ),
    Treatment(
        fault=Fault(
            name="cron-job",
            objects=(_cron_job("exit 1"),),
            expected=F.K8S_CRASH_APP,
            targets=("CronJob/report",),
        ),
        remedies=(Remedy.SUSPEND_CRON_JOB,),
    ),
)
TREATMENTS = (*_SLOW, *_OF_FAULTS, *_MORE)
HEALED = tuple(row for row in TREATMENTS if row.remedies)
REPORTED = tuple(row for row in TREATMENTS if not row.remedies)
