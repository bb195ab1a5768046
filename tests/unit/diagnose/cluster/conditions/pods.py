"""Pods: crashes, images, probes, placement, refusals and nodes."""

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import State, ago
from tests.unit.diagnose.cluster.conditions.table import (
    WEB,
    Condition,
    both,
    crash,
    fault,
    hint,
    pending,
    refused,
    unready,
    waits,
    well,
)

PULL = 'Failed to pull image "registry.acme.io/web:1.4.2": rpc error: code = Unknown desc = '
NODES = "0/3 nodes are available: 3 "


def down_dependency(state: State) -> None:
    state.workload("db")
    state.service("db", port=5432)
    state.crash("db", 'panic: environment variable "PGDATA" not set')
    state.crash("web", "Error: connect ECONNREFUSED db:5432")


def evicted(message: str) -> "object":
    def plant(state: State) -> None:
        state.short("web")
        for pod in state.pods("web"):
            pod["status"] = {"phase": "Failed", "reason": "Evicted", **({"message": message} if message else {})}

    return plant


def gated(message: str) -> "object":
    def plant(state: State) -> None:
        for pod in state.pending("web"):
            pod["spec"]["schedulingGates"] = [{"name": "acme.io/licence"}]
            row = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": message}
            pod["status"]["conditions"] = [row]

    return plant


def init_crash(state: State) -> None:
    for pod in state.pods("web"):
        pod["spec"]["initContainers"] = [{"name": "migrate", "image": "registry.acme.io/migrate:1"}]
        pod["status"]["initContainerStatuses"] = [
            {"name": "migrate", "ready": False, "restartCount": 4,
             "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
             "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}
        ]  # fmt: skip
    for pod in state.wait("web", "PodInitializing"):
        state.log(pod, "nothing to say")


def restarted_long_ago(state: State) -> None:
    for pod in state.pods("web"):
        row = pod["status"]["containerStatuses"][0]
        row |= {
            "restartCount": 1,
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": ago(300)}},
        }


def replaced(state: State) -> None:
    state.workload("web", replicas=2)
    pod = state.pods("web")[0]
    pod["status"] = {"phase": "Failed", "reason": "Error"}
    state.get("Deployment", "web")["status"]["readyReplicas"] = 2


def sandbox(state: State) -> None:
    for pod in state.wait("web", "ContainerCreating"):
        state.tell(
            pod,
            "FailedCreatePodSandBox",
            'Failed to create pod sandbox: plugin type="calico" failed (add): no free addresses',
        )


CONDITIONS: tuple[Condition, ...] = (
    # Crashes
    fault("the program misses a variable", crash('panic: environment variable "SHOP_REGION" not set', code=2), F.K8S_CRASH_ENV, WEB, "k8s.crash.env", "log.go:96", "log.go:114", "TestLogAnalyzer", "TestLogAnalyzerReadsPreviousLogsForRestartedContainers"),
    fault("the program refuses its configuration", crash("Error: invalid configuration: unknown field 'retrys'"), F.K8S_CRASH_CONFIG, WEB, "k8s.crash.config"),
    fault("what it depends on is down, and named in its stead", down_dependency, F.K8S_CRASH_ENV, "Deployment/shop/db", "k8s.crash.dep"),
    fault("a dependency outside of the cluster refuses", crash("dial tcp 203.0.113.7:5432: connect: connection refused"), F.K8S_CRASH_DEP, WEB, "k8s.crash.dep"),
    fault("the command is not in the image", waits("RunContainerError", 'exec: "serve": executable file not found in $PATH'), F.K8S_CRASH_CMD, WEB, "k8s.crash.cmd"),
    fault("the image is built for another machine", crash("exec /app/web: exec format error"), F.K8S_CRASH_CMD, WEB, "k8s.crash.cmd"),
    fault("a shell does not find the command", crash(code=127), F.K8S_CRASH_CMD, WEB, "k8s.crash.cmd"),
    fault("it may not write where it wants to", crash("mkdir /data/cache: read-only file system"), F.K8S_CRASH_PERM, WEB, "k8s.crash.perm"),
    fault("it must not run as root and would", waits("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"), F.K8S_CRASH_PERM, WEB, "k8s.crash.perm"),
    fault("it throws", crash("Traceback (most recent call last):", "ValueError: no price for sku 7"), F.K8S_CRASH_APP, WEB, "k8s.crash.app"),
    fault("it ends with an error and its log says nothing", crash(code=3), F.K8S_CRASH_APP, WEB, "pod.go:160", "pod.go:174", "TestPodAnalyzer/Terminated container with non-zero exit code"),
    fault("it leaves its last words in the status", crash(message="FATAL: cannot open ledger"), F.K8S_CRASH_APP, WEB, "pod.go:146"),
    fault("it is killed for its liveness probe", lambda s: [s.tell(p, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500") or s.tell(p, "Killing", "Container app failed liveness probe, will be restarted") for p in s.crash("web", code=137)], F.K8S_CRASH_LIVENESS, WEB, "k8s.crash.liveness"),
    fault("it is killed out of memory", crash(code=137, reason="OOMKilled"), F.K8S_OOM, WEB, "k8s.oom", "pod.go:141"),
    fault("what prepares it fails", init_crash, F.K8S_CRASH_APP, WEB, "TestPodAnalyzer/Init container status state waiting"),
    well("it was restarted once, hours ago", restarted_long_ago),
    well("a pod that failed was replaced", replaced),
    # Images
    fault("the tag does not exist", waits("ImagePullBackOff", "Back-off pulling image", PULL + "registry.acme.io/web:1.4.2: not found"), F.K8S_IMAGE_NOTFOUND, WEB, "k8s.image.notfound", "pod.go:134", "TestPodAnalyzer/Container status state waiting"),
    fault("its container waits and no event was kept", waits("ErrImagePull", "manifest unknown"), F.K8S_IMAGE_NOTFOUND, WEB, "k8s.image.notfound", "pod.go:134", "TestPodAnalyzer/Container status state waiting but no event reported"),
    fault("the name is no name", waits("InvalidImageName", 'Failed to apply default image tag "web:": couldn\'t parse image name: invalid reference format'), F.K8S_IMAGE_NOTFOUND, WEB, "k8s.image.notfound"),
    fault("the registry refuses", waits("ImagePullBackOff", "", PULL + "failed to authorize: 403 Forbidden"), F.K8S_IMAGE_AUTH, WEB, "k8s.image.auth"),
    fault("the registry is asked too often", waits("ErrImagePull", "", PULL + "429 Too Many Requests - toomanyrequests"), F.K8S_IMAGE_RATE, WEB, "k8s.image.rate"),
    fault("it is on no node and may not be pulled", waits("ErrImageNeverPull", 'Container image "web:1" is not present with pull policy of Never'), F.K8S_IMAGE_NEVER, WEB, "k8s.image.never"),
    # Probes
    fault("the readiness probe gets no answer", unready(("Unhealthy", "Readiness probe failed: dial tcp 10.42.0.9:9999: connect: connection refused")), F.K8S_PROBE_READY, WEB, "k8s.probe.ready", "pod.go:55", "TestPodAnalyzer/Pending pods, namespace filtering and readiness probe failure"),
    fault("it is not ready and nothing says why", unready(), F.K8S_PROBE_READY, WEB, "TestPodAnalyzer/readiness probe failure without any event"),
    # Placement
    fault("no node has room", pending("0/3 nodes are available: 3 Insufficient cpu."), F.K8S_PENDING_RES, WEB, "k8s.pending.res", "pod.go:55"),
    fault("it does not tolerate the nodes", pending(NODES + "node(s) had untolerated taint {dedicated: gpu}."), F.K8S_PENDING_TAINT, WEB, "k8s.pending.taint"),
    fault("no node has its label", pending(NODES + "node(s) didn't match Pod's node affinity/selector."), F.K8S_PENDING_AFFINITY, WEB, "k8s.pending.affinity"),
    fault("the nodes are full", pending(NODES + "Too many pods."), F.K8S_PENDING_UNSCHED, WEB, "k8s.pending.unsched"),
    fault("its node is cordoned", both(pending("0/1 nodes are available: 1 node(s) were unschedulable."), lambda s: s.node("n1", unschedulable=True)), F.K8S_PENDING_UNSCHED, "Node/n1", "k8s.pending.unsched"),
    fault("a gate holds it back", gated("Scheduling is blocked due to non-empty scheduling gates"), F.K8S_PENDING_UNSCHED, WEB, "pod.go:63", "TestPodAnalyzer/SchedulingGated pods with and without a message"),
    fault("a gate holds it back without a word", gated(""), F.K8S_PENDING_UNSCHED, WEB, "pod.go:63"),
    fault("the network plugin fails", sandbox, F.K8S_SANDBOX, WEB, "k8s.sandbox"),
    # Refusals
    fault("the quota is used up", refused('pods "web-x" is forbidden: exceeded quota: team, requested: cpu=2, used: cpu=3, limited: cpu=4'), F.K8S_QUOTA, "ResourceQuota/shop/team", "k8s.quota", "rs.go:52", "TestReplicaSetAnalyzer"),
    fault("a limit range refuses it", refused('pods "web-x" is forbidden: maximum memory usage per Container is 64Mi, but limit is 128Mi'), F.K8S_LIMITRANGE, WEB, "k8s.limitrange"),
    fault("a webhook refuses it", refused('admission webhook "img.policy.io" denied the request: no latest'), F.K8S_ADMISSION_WEBHOOK, WEB, "k8s.admission.webhook"),
    fault("pod security refuses it", refused('pods "web-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'), F.K8S_ADMISSION_PSS, WEB, "k8s.admission.pss"),
    fault("its account does not exist", refused('pods "web-" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found'), F.K8S_MOUNT, "ServiceAccount/shop/bot"),
    # Nodes
    fault("the kubelet no longer answers", lambda s: s.node("n1", {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}), F.K8S_NODE_NOTREADY, "Node/n1", "k8s.node.notready", "node.go:94", "TestNodeAnalyzer"),
    fault("its disk is full", lambda s: s.node("n1", {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure"}), F.K8S_NODE_PRESSURE, "Node/n1", "k8s.node.pressure", "node.go:94", "TestNodeAnalyzer"),
    fault("it has no network", lambda s: s.node("n1", {"type": "NetworkUnavailable", "status": "True", "reason": "NoRouteCreated"}), F.K8S_NODE_NOTREADY, "Node/n1", "node.go:94", "TestNodeAnalyzer"),
    fault("its pods were thrown out", evicted("The node was low on resource: memory."), F.K8S_NODE_PRESSURE, "Node/n1", "k8s.node.pressure", "pod.go:76", "TestPodAnalyzer/Evicted pod with message"),
    fault("its pods were thrown out without a word", evicted(""), F.K8S_NODE_PRESSURE, WEB, "pod.go:76", "TestPodAnalyzer/Evicted pod without message"),
    hint("it is cordoned and nothing waits for it", lambda s: s.node("n1", unschedulable=True), F.K8S_PENDING_UNSCHED, "Node/n1"),
    well("a node of another kind of etcd says so", lambda s: s.node("n1", {"type": "EtcdIsVoter", "status": "True"}), "TestNodeAnalyzer"),
)  # fmt: skip
