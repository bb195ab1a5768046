"""Failures as people meet them, told by what the API server, the kubelet, controllers and programs really say."""

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State, ago
from tests.unit.diagnose.cluster.conditions.table import (
    WEB,
    Condition,
    Plant,
    fault,
    refused,
    well,
)

TAKEN = "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
NOT_HELPFUL = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


def tainted(state: State) -> None:
    """Two nodes are kept for others, and the third is full."""
    for name in ("g1", "g2"):
        state.node(name, taints=[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}])
    state.pending("web", f"0/3 nodes are available: 2 node(s) had untolerated taint {{dedicated: gpu}}, 1 node(s) had untolerated taint {{node.kubernetes.io/disk-pressure: }}. {NOT_HELPFUL}")  # fmt: skip


def zoned(state: State) -> None:
    """A database's volume was made in one zone, and its only node is in another."""
    state.node("n1")["metadata"]["labels"] |= {"topology.kubernetes.io/zone": "eu-1b"}
    terms = [{"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-1a"]}]}]
    affinity = {"required": {"nodeSelectorTerms": terms}}
    claim = {"namespace": "shop", "name": "data-db-0"}
    state.put("PersistentVolume", "pvc-77", namespace="", spec={"claimRef": claim, "nodeAffinity": affinity}, status={"phase": "Bound"})  # fmt: skip
    state.put("PersistentVolumeClaim", "data-db-0", spec={"volumeName": "pvc-77"}, status={"phase": "Bound"})
    mounted = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]}
    state.workload("db", kind="StatefulSet", pod=mounted)
    state.service("db", port=5432)
    state.pending("db", f"0/1 nodes are available: 1 node(s) had volume node affinity conflict. {NOT_HELPFUL}")


def preempted(state: State) -> None:
    """A pod of more weight took its place, and there is no other."""
    state.workload("batch", {"resources": {"requests": {"cpu": "3"}}})
    state.pending("batch", f"0/3 nodes are available: 3 Insufficient cpu. {TAKEN}")
    state.tell(state.get("ReplicaSet", "batch-5d4f8c7b9"), "SuccessfulCreate", "Created pod: batch-x", kind="Normal")
    for pod in state.pods("batch"):
        state.tell(pod, "Preempted", "Preempted by pod 3f0c on node n1", minutes=4)


def attached_elsewhere(state: State) -> None:
    state.put("PersistentVolumeClaim", "media", spec={"volumeName": "pvc-9"}, status={"phase": "Bound"})
    mounted = {"volumes": [{"name": "m", "persistentVolumeClaim": {"claimName": "media"}}]}
    state.workload("cms", pod=mounted)
    for pod in state.wait("cms", "ContainerCreating"):
        state.tell(pod, "FailedAttachVolume", 'Multi-Attach error for volume "pvc-9" Volume is already used by pod(s) cms-7d-old')  # fmt: skip


def no_address(state: State) -> None:
    for pod in state.wait("web", "ContainerCreating"):
        state.tell(pod, "FailedCreatePodSandBox", 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "3f0c": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container')  # fmt: skip


def gone_node(state: State) -> None:
    """A node stopped telling of itself; its pods are being deleted and new ones find no room."""
    row = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}  # fmt: skip
    state.node("n2", row, taints=[{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}])
    state.workload("cart")
    for pod in state.pods("cart"):
        pod["spec"]["nodeName"] = "n2"
    state.unready("cart")


def rejected_webhook(state: State) -> None:
    client = {"service": {"name": "kyverno-svc", "namespace": "kyverno", "path": "/validate"}}
    rows = [{"name": "validate.kyverno.svc-fail", "clientConfig": client, "failurePolicy": "Fail"}]
    state.put("Namespace", "kyverno", namespace="")
    state.put("ValidatingWebhookConfiguration", "kyverno-resource-validating-webhook-cfg", namespace="", webhooks=rows)
    state.workload("kyverno", namespace="kyverno", replicas=0)
    state.put("Service", "kyverno-svc", namespace="kyverno", spec={"selector": {"app": "kyverno"}, "ports": [{"port": 443}]})  # fmt: skip
    refused('Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available for service "kyverno-svc"')(state)  # fmt: skip


def no_volume(state: State) -> None:
    made = state.put("PersistentVolumeClaim", "data", spec={"storageClassName": "", "accessModes": ["ReadWriteOnce"]}, status={"phase": "Pending"})  # fmt: skip
    state.tell(made, "FailedBinding", "no persistent volumes available for this claim and no storage class is set", kind="Normal")  # fmt: skip
    state.workload("web", pod={"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]})
    state.pending("web", f"0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. {NOT_HELPFUL}")


def disk_pressure(state: State) -> None:
    state.node("n1", {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": "kubelet has disk pressure"})  # fmt: skip
    state.short("web")
    for pod in state.pods("web"):
        pod["status"] = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 8Gi. Container app was using 12Gi, request is 0, has larger consumption of ephemeral-storage."}  # fmt: skip


def value_of_config(*, literal: bool = False) -> Plant:
    """A number is spelt out, in a ConfigMap or in the specification."""

    def plant(state: State) -> None:
        state.put("ConfigMap", "limits", data={"MAX": "one hundred", "MIN": "1"})
        given: Raw = {"env": [{"name": "MAX", "value": "one hundred"}]} if literal else {"envFrom": [{"configMapRef": {"name": "limits"}}]}  # fmt: skip
        state.workload("web", given)
        state.crash("web", "ValueError: invalid literal for int() with base 10: 'one hundred'")

    return plant


def value_of_nobody(state: State) -> None:
    state.put("ConfigMap", "limits", data={"MAX": "5"})
    state.workload("web", {"envFrom": [{"configMapRef": {"name": "limits"}}]})
    state.crash("web", "ValueError: invalid literal for int() with base 10: 'one hundred'")


def config_host(*, own: bool = False) -> Plant:
    """The host of the cache is misspelt, in a ConfigMap or in the specification."""

    def plant(state: State) -> None:
        state.workload("redis")
        state.service("redis", port=6379)
        state.put("ConfigMap", "cart", data={"REDIS_HOST": "rediss"})
        given: Raw = {"env": [{"name": "REDIS_HOST", "value": "rediss"}]} if own else {"envFrom": [{"configMapRef": {"name": "cart"}}]}  # fmt: skip
        state.workload("cart", given)
        state.crash("cart", "redis.exceptions.ConnectionError: Error -2 connecting to rediss:6379. Name or service not known.")  # fmt: skip

    return plant


def config_port(state: State) -> None:
    state.workload("db", {"ports": [{"containerPort": 5432}]})
    state.service("db", port=5432)
    state.put("ConfigMap", "orders", data={"DATABASE_URL": "postgres://db:5433/orders"})
    state.workload("orders", {"envFrom": [{"configMapRef": {"name": "orders"}}]})
    state.crash("orders", 'connection to server at "db" (10.43.0.12), port 5433 failed: Connection refused')


def init_port(port: int) -> Plant:
    """An init container waits for a port of a database that is ready."""

    def plant(state: State) -> None:
        state.workload("db", {"ports": [{"containerPort": 5432}]})
        state.service("db", port=5432)
        command = ["sh", "-c", f"until nc -z -w 2 db {port}; do echo waiting; sleep 2; done"]
        state.workload("web", pod={"initContainers": [{"name": "wait", "image": "busybox:1.36", "command": command}]})
        if port != 5432:
            for pod in state.wait("web", "PodInitializing"):
                row = {"name": "wait", "ready": False, "restartCount": 0, "state": {"running": {"startedAt": ago(40)}}}
                pod["status"]["initContainerStatuses"] = [row]

    return plant


def held(kind: str, *, since: float = 3, running: bool = False) -> Plant:
    """A pod or claim whose deletion was asked for, and which a finalizer keeps."""

    def plant(state: State) -> None:
        about = {"deletionTimestamp": ago(since), "finalizers": ["acme.io/hold"]}
        row = {"name": "app", "ready": running, "restartCount": 0, "state": {"running": {}} if running else {"terminated": {"exitCode": 137, "reason": "Error"}}}  # fmt: skip
        state.put(kind, "old", metadata=about, spec={"containers": [{"name": "app", "image": "a:1"}]}, status={"phase": "Running" if running else "Failed", "containerStatuses": [row]})  # fmt: skip

    return plant


def chats(*lines: str, times: int = 6) -> Plant:
    """`web` is ready, and says these lines again and again among others."""
    return lambda s: s.log(s.pods("web")[0], *(line for n in range(times) for line in (f"INFO request {n} ok", *lines)))


def crashes(*lines: str) -> Plant:
    return lambda s: s.crash("web", "starting", *lines)


def silent(state: State) -> None:
    state.crash("web", "loading plugins", "plugin geo: checksum differs")


def spare_resolver(state: State) -> None:
    """The resolver's Deployment begins anew while another pod answers for it."""
    made = state.workload("coredns", labels={"k8s-app": "kube-dns"}, namespace="kube-system")
    made["status"] = {"replicas": 1, "unavailableReplicas": 1}
    state.drop("Pod", "coredns-5d4f8c7b9-abc0x", "kube-system")
    template = {
        "metadata": {"labels": {"k8s-app": "kube-dns"}},
        "spec": {"containers": [{"name": "dns", "image": "d:1"}]},
    }
    state.pod("coredns-spare", template, namespace="kube-system")


def arch(state: State) -> None:
    for pod in state.wait("web", "ErrImagePull"):
        state.tell(pod, "Failed", 'Failed to pull image "registry.acme.io/web:2": rpc error: code = NotFound desc = failed to pull and unpack image "registry.acme.io/web:2": no match for platform in manifest: not found')  # fmt: skip


CONDITIONS: tuple[Condition, ...] = (
    fault("nodes are kept for others by a taint", tainted, F.K8S_PENDING_TAINT),
    fault("a volume is in another zone than the nodes", zoned, F.K8S_PENDING_PVC, "PersistentVolumeClaim/shop/data-db-0"),
    fault("a pod of more weight took the place of another", preempted, F.K8S_PENDING_RES, "Deployment/shop/batch"),
    fault("a volume is still attached to another node", attached_elsewhere, F.K8S_MOUNT, "Deployment/shop/cms"),
    fault("there is no address left for a pod", no_address, F.K8S_SANDBOX),
    fault("a node is gone with its pods", gone_node, F.K8S_NODE_NOTREADY, "Node/n2"),
    fault("a webhook that is scaled to zero refuses all", rejected_webhook, F.K8S_ADMISSION_WEBHOOK, "ValidatingWebhookConfiguration/kyverno-resource-validating-webhook-cfg"),
    fault("a claim without a class finds no volume", no_volume, F.K8S_PENDING_PVC, "PersistentVolumeClaim/shop/data"),
    fault("a node ran out of disk and evicted a pod", disk_pressure, F.K8S_NODE_PRESSURE, "Node/n1"),
    fault("an image is not built for the machine", arch, F.K8S_IMAGE_NOTFOUND),
    fault("a value of a ConfigMap is no number", value_of_config(), F.K8S_CRASH_CONFIG, "ConfigMap/shop/limits"),
    fault("a value of the specification is no number", value_of_config(literal=True), F.K8S_CRASH_CONFIG, WEB),
    fault("a value that nobody gave is no number", value_of_nobody, F.K8S_CRASH_APP, WEB),
    fault("a host is misspelt in a ConfigMap", config_host(), F.K8S_CRASH_CONFIG, "ConfigMap/shop/cart"),
    fault("a host is misspelt in the specification", config_host(own=True), F.K8S_CRASH_CONFIG, "Deployment/shop/cart"),
    fault("a port is wrong in a ConfigMap", config_port, F.K8S_SVC_PORT, "ConfigMap/shop/orders"),
    fault("an init container waits for a port that its service does not have", init_port(5433), F.K8S_SVC_PORT, WEB),
    well("an init container waited for the port of its service", init_port(5432)),
    fault("a pod has ended and a finalizer keeps it", held("Pod"), F.K8S_TERMINATING, "Pod/shop/old"),
    well("a pod takes its time to end", held("Pod", running=True)),
    fault("the resolver begins anew while another pod answers for it", spare_resolver, F.DEP_ROLLOUT_TIMEOUT, "Deployment/kube-system/coredns"),
    fault("a program ends without a word that is known", silent, F.K8S_CRASH_APP),
)  # fmt: skip
