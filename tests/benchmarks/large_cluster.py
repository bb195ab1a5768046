"""A cluster of over 5,000 pods with 20 faults among them, in the API server's own shape."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.clients.kubernetes.kinds import KINDS
from tasks.domain.failure_class import FailureClass as F

Raw = dict[str, Any]
NAMESPACES, WORKLOADS, PODS, NODES = 26, 20, 10, 50
NOW = "2026-06-01T12:00:00Z"
LIMITS = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}


@dataclass
class LargeCluster:
    """Lists of raw objects by kind, and the logs by (namespace, pod)."""

    lists: dict[str, list[Raw]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    logs: dict[tuple[str, str], str] = field(default_factory=dict)
    expected: dict[str, F] = field(default_factory=dict)
    """What has to be named: an object, and its class."""

    def add(self, kind: str, namespace: str, name: str, owner: Raw | None = None, **rest: Any) -> Raw:
        row = KINDS[kind]
        metadata: Raw = {
            "name": name,
            "uid": f"{kind}-{namespace}-{name}",
            "generation": 1,
            "resourceVersion": "1",
            "creationTimestamp": NOW,
            "labels": {},
            "annotations": {},
            "managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:field{n}": {"f:value": {}} for n in range(60)}}],
        }
        if row.namespaced:
            metadata["namespace"] = namespace
        if owner is not None:
            about = {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
            metadata["ownerReferences"] = [{**about, "apiVersion": owner["apiVersion"], "controller": True}]
        made: Raw = {"apiVersion": row.api_version, "kind": kind, "metadata": metadata, **rest}
        self.lists[kind].append(made)
        return made

    def tell(self, about: Raw, reason: str, message: str) -> None:
        named = about["metadata"]
        place = {"kind": about["kind"], "name": named["name"], "namespace": named["namespace"]}
        name = f"{named['name']}.{len(self.lists['Event']):x}"
        happened = {"reason": reason, "message": message, "type": "Warning", "count": 7, "lastTimestamp": NOW}
        self.add("Event", named["namespace"], name, involvedObject=place, **happened)


@dataclass
class Workload:
    """One Deployment with all that belongs to it."""

    cluster: LargeCluster
    deployment: Raw
    replica_set: Raw
    service: Raw
    slice: Raw
    pods: list[Raw]

    @property
    def namespace(self) -> str:
        return str(self.deployment["metadata"]["namespace"])

    @property
    def name(self) -> str:
        return str(self.deployment["metadata"]["name"])

    def expect(self, failure_class: F, kind: str = "Deployment", name: str = "") -> None:
        self.cluster.expected[f"{kind}/{self.namespace}/{name or self.name}"] = failure_class

    def short(self, ready: int = 0) -> None:
        self.deployment["status"] |= {"readyReplicas": ready, "availableReplicas": ready}
        self.replica_set["status"] |= {"readyReplicas": ready, "availableReplicas": ready}

    def container(self, waiting: Raw | None = None, ended: Raw | None = None, log: str = "") -> None:
        """The state of the container of every pod."""
        self.short()
        for pod in self.pods:
            row = pod["status"]["containerStatuses"][0]
            row |= {"ready": False, "started": False, "restartCount": 6 if ended else 0}
            row["state"] = {"waiting": waiting} if waiting else {"running": {"startedAt": NOW}}
            row["lastState"] = {"terminated": ended} if ended else {}
            self._unready(pod)
            if log:
                self.cluster.logs[self.namespace, pod["metadata"]["name"]] = log

    def pending(self, message: str) -> None:
        self.short()
        for pod in self.pods:
            pod["spec"].pop("nodeName")
            unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
            pod["status"] = {"phase": "Pending", "conditions": [unscheduled]}
            self.cluster.tell(pod, "FailedScheduling", message)

    def say(self, reason: str, message: str) -> None:
        for pod in self.pods:
            self.cluster.tell(pod, reason, message)

    @staticmethod
    def _unready(pod: Raw) -> None:
        for row in pod["status"]["conditions"]:
            if row["type"] in ("Ready", "ContainersReady"):
                row["status"] = "False"


def waiting(reason: str, message: str, failure_class: F) -> Callable[[Workload], None]:
    def plant(work: Workload) -> None:
        work.container(waiting={"reason": reason, "message": message})
        work.expect(failure_class)

    return plant


def crash(log: str, failure_class: F, code: int = 1, reason: str = "Error") -> Callable[[Workload], None]:
    def plant(work: Workload) -> None:
        again = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
        work.container(waiting=again, ended={"exitCode": code, "reason": reason, "finishedAt": NOW}, log=log)
        work.expect(failure_class)

    return plant


def pending(message: str, failure_class: F) -> Callable[[Workload], None]:
    def plant(work: Workload) -> None:
        work.pending(message)
        work.expect(failure_class)

    return plant


def probe(which: str, failure_class: F) -> Callable[[Workload], None]:
    def plant(work: Workload) -> None:
        work.container()
        work.say("Unhealthy", f'{which} probe failed: Get "http://10.0.0.9:9999/": connect: connection refused')
        if which == "Liveness":
            work.say("Killing", "Container server failed liveness probe, will be restarted")
        work.expect(failure_class)

    return plant


def missing_config(work: Workload) -> None:
    work.deployment["spec"]["template"]["spec"]["volumes"] = [{"name": "c", "configMap": {"name": "prices"}}]
    for pod in work.pods:
        pod["spec"]["volumes"] = [{"name": "c", "configMap": {"name": "prices"}}]
        pod["status"]["phase"] = "Pending"
    work.container(waiting={"reason": "ContainerCreating"})
    work.say("FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "prices" not found')
    work.expect(F.K8S_MOUNT, "ConfigMap", "prices")


def missing_key(work: Workload) -> None:
    work.container(
        waiting={
            "reason": "CreateContainerConfigError",
            "message": f"couldn't find key p in Secret {work.namespace}/login",
        }
    )
    work.expect(F.K8S_CONFIG_KEY, "Secret", "login")


def unbound_claim(work: Workload) -> None:
    claim = work.cluster.add("PersistentVolumeClaim", work.namespace, "data", spec={"storageClassName": "fast"})
    claim["status"] = {"phase": "Pending"}
    work.cluster.tell(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
    work.pending("0/50 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    for pod in work.pods:
        pod["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    work.expect(F.K8S_PENDING_PVC, "PersistentVolumeClaim", "data")


def wrong_selector(work: Workload) -> None:
    work.service["spec"]["selector"] = {"app": work.name + "-old"}
    work.slice["endpoints"] = []
    work.expect(F.K8S_SVC_SELECTOR, "Service")


def quota(work: Workload) -> None:
    used = {"hard": {"pods": "0"}, "used": {"pods": "0"}}
    work.cluster.add("ResourceQuota", work.namespace, "small", spec={"hard": {"pods": "0"}}, status=used)
    message = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0'
    work.cluster.tell(work.replica_set, "FailedCreate", f"Error creating: {message}")
    failing = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    work.replica_set["status"] |= {"replicas": 0, "conditions": [failing]}
    work.deployment["status"] |= {"replicas": 0, "conditions": [failing]}
    work.short()
    for pod in work.pods:
        work.cluster.lists["Pod"].remove(pod)
    work.slice["endpoints"] = []
    work.expect(F.K8S_QUOTA, "ResourceQuota", "small")


FAULTS: tuple[Callable[[Workload], None], ...] = (
    waiting(
        "ImagePullBackOff",
        'failed to resolve reference "r.example/a:9": r.example/a:9: not found',
        F.K8S_IMAGE_NOTFOUND,
    ),
    waiting("ErrImagePull", "pull access denied, insufficient_scope: authorization failed", F.K8S_IMAGE_AUTH),
    waiting("ErrImagePull", "429 Too Many Requests: toomanyrequests: pull rate limit", F.K8S_IMAGE_RATE),
    waiting("ErrImageNeverPull", 'Container image "a:1" is not present with pull policy of Never', F.K8S_IMAGE_NEVER),
    missing_key,
    crash("", F.K8S_OOM, 137, "OOMKilled"),
    crash('panic: environment variable "SHOP_REGION" not set\n', F.K8S_CRASH_ENV, 2),
    crash("Traceback (most recent call last):\nValueError: no rows\n", F.K8S_CRASH_APP),
    crash("open /var/run/app.pid: permission denied\n", F.K8S_CRASH_PERM),
    crash('exec: "serve-shop": executable file not found in $PATH\n', F.K8S_CRASH_CMD, 127),
    crash("x509: certificate has expired or is not yet valid\n", F.K8S_CERT),
    pending("0/50 nodes are available: 50 Insufficient cpu.", F.K8S_PENDING_RES),
    pending("0/50 nodes are available: 50 node(s) had untolerated taint {gpu: true}.", F.K8S_PENDING_TAINT),
    pending("0/50 nodes are available: 50 node(s) didn't match Pod's node affinity/selector.", F.K8S_PENDING_AFFINITY),
    probe("Readiness", F.K8S_PROBE_READY),
    probe("Liveness", F.K8S_CRASH_LIVENESS),
    missing_config,
    unbound_claim,
    wrong_selector,
    quota,
)


def build() -> LargeCluster:
    """The same cluster each time; the workload n of the first namespaces has the fault n."""
    cluster = LargeCluster()
    for number in range(NODES):
        cluster.add("Node", "", f"node-{number}", spec={}, status={"conditions": [{"type": "Ready", "status": "True"}]})
    faults = iter(FAULTS)
    for space in range(NAMESPACES):
        cluster.add("Namespace", "", f"team-{space}", status={"phase": "Active"})
        for number in range(WORKLOADS):
            work = _workload(cluster, f"team-{space}", f"app-{number}")
            if number == 7 and (plant := next(faults, None)) is not None:
                plant(work)
    return cluster


def _workload(cluster: LargeCluster, space: str, name: str) -> Workload:
    labels = {"app": name}
    server = {"name": "server", "image": "r.example/app:1", "ports": [{"containerPort": 8080}], "resources": LIMITS}
    server |= {"env": [{"name": f"SETTING_{n}", "value": "x" * 40} for n in range(20)]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [server]}}
    counts = {kind: PODS for kind in ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")}
    spec = {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template}
    status = {"observedGeneration": 1, **counts}
    deployment = cluster.add("Deployment", space, name, spec=json.loads(json.dumps(spec)), status=dict(status))
    replica_set = cluster.add("ReplicaSet", space, f"{name}-5d8f", deployment, spec=spec, status=dict(status))
    replica_set["metadata"]["labels"] = {**labels, "pod-template-hash": "5d8f"}
    service = cluster.add(
        "Service", space, name, spec={"selector": dict(labels), "ports": [{"port": 80, "targetPort": 8080}]}, status={}
    )
    pods = [_pod(cluster, replica_set, space, f"{name}-5d8f-{number}", number, server) for number in range(PODS)]
    rows = [
        {
            "addresses": ["10.0.0.1"],
            "conditions": {"ready": True},
            "targetRef": {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": space},
        }
        for pod in pods
    ]
    slices = cluster.add("EndpointSlice", space, f"{name}-x", endpoints=rows, ports=[{"port": 8080}])
    slices["metadata"]["labels"] = {"kubernetes.io/service-name": name}
    return Workload(cluster, deployment, replica_set, service, slices, pods)


def _pod(cluster: LargeCluster, owner: Raw, space: str, name: str, number: int, server: Raw) -> Raw:
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": NOW}
        for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    row = {"name": "server", "ready": True, "started": True, "restartCount": 0, "image": server["image"]}
    running = {"state": {"running": {"startedAt": NOW}}, "lastState": {}}
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": [{**row, **running}]}
    spec = {"nodeName": f"node-{number}", "serviceAccountName": "default", "containers": [dict(server)]}
    pod = cluster.add("Pod", space, name, owner, spec=spec, status=status)
    pod["metadata"]["labels"] = dict(owner["metadata"]["labels"])
    return pod


def write(cluster: LargeCluster, folder: Path) -> None:
    """The cluster as a folder that `healflow triage --snapshot` reads."""
    for kind, items in cluster.lists.items():
        version = KINDS[kind].api_version
        (folder / f"{kind}.json").write_text(json.dumps({"kind": f"{kind}List", "apiVersion": version, "items": items}))
    for (space, pod), log in cluster.logs.items():
        place = folder / "logs" / space / pod
        place.mkdir(parents=True)
        (place / "server.previous.log").write_text(log)
    about = {"captured_at": "2026-06-01T12:00:00+00:00", "namespaces": [], "unreadable": []}
    (folder / "healflow-snapshot.json").write_text(json.dumps({**about, "listed_kinds": sorted(KINDS)}))
