"""Failures that stand in no list we were given: what else goes wrong in clusters."""

from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State, ago
from tests.unit.diagnose.cluster.conditions.table import (
    WEB,
    Condition,
    Plant,
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


def side_by_side(reason: str) -> Plant:
    """A pod whose second container ends again and again, while the first is well."""

    def plant(state: State) -> None:
        containers = [{"name": "app", "image": "a:1"}, {"name": "proxy", "image": "b:1"}]
        state.workload("web", pod={"containers": containers})
        state.short("web")
        for pod in state.pods("web"):
            pod["status"]["conditions"][2]["status"] = "False"
            pod["status"]["containerStatuses"][1] |= {
                "ready": False, "restartCount": 9, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 137 if reason == "OOMKilled" else 1, "reason": reason}},
            }  # fmt: skip

    return plant


def init_waits(state: State) -> None:
    """`web` waits in its init container for a database that crashes."""
    state.workload("db")
    state.service("db", port=5432)
    state.crash("db", 'FATAL: data directory "/var/lib/db" has wrong ownership: permission denied')
    init = [{"name": "wait", "image": "busybox:1.36", "command": ["sh", "-c", "until nc -z db 5432; do sleep 2; done"]}]
    state.workload("web", pod={"initContainers": init})
    for pod in state.wait("web", "PodInitializing"):
        row = {"name": "wait", "ready": False, "restartCount": 0, "state": {"running": {"startedAt": ago(40)}}}
        pod["status"]["initContainerStatuses"] = [row]


def init_hangs(state: State) -> None:
    init = [{"name": "migrate", "image": "registry.acme.io/migrate:1"}]
    state.workload("web", pod={"initContainers": init})
    for pod in state.wait("web", "PodInitializing"):
        row = {"name": "migrate", "ready": False, "restartCount": 0, "state": {"running": {"startedAt": ago(40)}}}
        pod["status"]["initContainerStatuses"] = [row]


def mounted(line: str, *, path: str = "/etc/nginx/conf.d", kind: str = "configMap") -> Plant:
    """`web` crashes on a file that comes from a ConfigMap or a Secret."""

    def plant(state: State) -> None:
        named = {"secretName": "front"} if kind == "secret" else {"name": "front"}
        volume = {"volumes": [{"name": "conf", kind: named}]}
        state.put("Secret" if kind == "secret" else "ConfigMap", "front", data={"default.conf": "server {"})
        state.workload("web", {"volumeMounts": [{"name": "conf", "mountPath": path}]}, pod=volume)
        state.crash("web", line)

    return plant


def egress(state: State, *, allow_db: bool = False) -> None:
    """A policy lets `api` ask for names and nothing else."""
    state.put("Namespace", "kube-system", namespace="")
    state.workload("db", {"ports": [{"containerPort": 5432}]})
    state.service("db", port=5432)
    state.workload("api", {"env": [{"name": "DB", "value": "db:5432"}]})
    rules: list[Raw] = [{"ports": [{"port": 53, "protocol": "UDP"}]}]
    if allow_db:
        rules.append({"to": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"port": 5432}]})
    spec = {"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Egress"], "egress": rules}
    state.put("NetworkPolicy", "few-out", spec=spec)
    if not allow_db:
        state.crash("api", "dial tcp db:5432: i/o timeout")


def misspelt_host(state: State) -> None:
    state.workload("db")
    state.service("redis-cart", selector={"app": "db"}, port=6379)
    state.workload("cart", {"env": [{"name": "REDIS_ADDR", "value": "redis-crt:6379"}]})
    state.crash("cart", "dial tcp: lookup redis-crt on 10.96.0.10:53: no such host")


def absent_service(state: State) -> None:
    state.workload("cart", {"env": [{"name": "PAYMENTS", "value": "payments:8443"}]})
    state.crash("cart", "dial tcp: lookup payments on 10.96.0.10:53: no such host")


def other_namespace(state: State) -> None:
    state.put("Namespace", "data", namespace="")
    state.put("Service", "mysql", namespace="data", spec={"ports": [{"port": 3306}]})
    state.crash("web", "getaddrinfo ENOTFOUND mysql mysql:3306")


def gate(state: State) -> None:
    """All containers are ready, and the pod is not: somebody outside has not said so."""
    state.short("web")
    for pod in state.pods("web"):
        pod["spec"]["readinessGates"] = [{"conditionType": "target-health.elbv2.k8s.aws/web"}]
        pod["status"]["conditions"][2] |= {"status": "False", "reason": "ReadinessGatesNotReady"}


def hook(state: State) -> None:
    for pod in state.crash("web", code=137):
        state.tell(pod, "FailedPostStartHook", "PostStartHook failed: command '/bin/warm-up' exited with 1")


def node_oom(state: State) -> None:
    state.crash("web", code=137)
    state.tell(state.get("Node", "n1", ""), "SystemOOM", "System OOM encountered, victim process: java, pid: 4242")


def network_plugin(state: State) -> None:
    """The network plugin crashes, so no pod gets a sandbox."""
    state.workload("calico-node", kind="DaemonSet", namespace="kube-system")
    state.crash("calico-node", "panic: cannot read the IP pool")
    for pod in state.wait("web", "ContainerCreating"):
        state.tell(
            pod,
            "FailedCreatePodSandBox",
            'Failed to create pod sandbox: plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file',
        )


def balancer(state: State) -> None:
    made = state.service("front", selector={"app": "web"}, type="LoadBalancer")
    state.tell(
        made, "SyncLoadBalancerFailed", "Error syncing load balancer: failed to ensure load balancer: no subnets found"
    )


def half_rolled(state: State) -> None:
    """The new revision cannot pull its image, while the old one serves."""
    new = state.put(
        "ReplicaSet",
        "web-7c9",
        owner=state.get("Deployment", "web"),
        annotations={"deployment.kubernetes.io/revision": "2"},
        spec={"replicas": 1, "template": {"spec": {}}},
        status={"replicas": 1},
    )
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "registry.acme.io/web:1.5.0"}]},
    }
    pod = state.pod("web-7c9-abc", template, owner=new)
    pod["status"] = {
        "phase": "Pending",
        "containerStatuses": [
            {
                "name": "app",
                "ready": False,
                "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff", "message": "manifest unknown"}},
            }
        ],
    }


def long_job(state: State) -> None:
    """A cron job that may not run twice waits for a run that does not end."""
    spec = {
        "schedule": "*/5 * * * *",
        "concurrencyPolicy": "Forbid",
        "jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "a:1"}]}}}},
    }
    made = state.put(
        "CronJob", "nightly", spec=spec, status={"active": [{"name": "nightly-1"}], "lastScheduleTime": ago(900)}
    )
    state.put("Job", "nightly-1", owner=made, age=900, spec={}, status={"active": 1, "startTime": ago(900)})
    state.tell(
        made,
        "JobAlreadyActive",
        "Not starting job because prior execution is running and concurrency policy is Forbid",
        kind="Normal",
    )


def no_token(state: State) -> None:
    state.workload("web", pod={"automountServiceAccountToken": False})
    state.crash("web", "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory")


def overloaded_endpoint(state: State) -> None:
    """A server that is ready, and fails one kind of request again and again."""
    lines = [f'[INFO] "GET /api/users/{n} HTTP/1.1" 200 40ms - ok' for n in range(10)]
    for _ in range(12):
        state.log(state.pods("web")[0], *lines)
    lines = [
        line
        for n in range(12)
        for line in (*lines, f'[ERROR] "POST /api/reports HTTP/1.1" 503 3000{n % 10}ms - upstream timeout')
    ]
    state.logs.clear()
    state.log(state.pods("web")[0], *lines)


def slow_start(state: State) -> None:
    for pod in state.crash("web", "Starting application context ...", code=143):
        state.tell(
            pod,
            "Unhealthy",
            'Startup probe failed: Get "http://10.42.0.9:8080/healthz": dial tcp 10.42.0.9:8080: connect: connection refused',
        )
        state.tell(pod, "Killing", "Container app failed startup probe, will be restarted")


def zone(state: State) -> None:
    state.workload("web", pod={"nodeSelector": {"disktype": "sdd"}})
    state.node("n1")["metadata"]["labels"]["disktype"] = "ssd"
    state.pending("web", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")


CONDITIONS: tuple[Condition, ...] = (
    fault("a second container of a ready program crashes", side_by_side("Error"), F.K8S_CRASH_APP),
    fault("a second container is killed out of memory", side_by_side("OOMKilled"), F.K8S_OOM),
    fault("an init container waits for a database that crashes", init_waits, F.K8S_CRASH_PERM, "Deployment/shop/db"),
    fault("an init container does not come to an end", init_hangs, F.DEP_ROLLOUT_TIMEOUT),
    fault("a server cannot read the file of a ConfigMap", mounted('nginx: [emerg] unexpected end of file in /etc/nginx/conf.d/default.conf:3'), F.K8S_CRASH_CONFIG, "ConfigMap/shop/front"),
    fault("a program cannot read the file of a Secret", mounted("Error: yaml: line 3: did not find expected key in /etc/app/login.yaml", path="/etc/app", kind="secret"), F.K8S_CRASH_CONFIG, "Secret/shop/front"),
    fault("a file is not in the ConfigMap that is mounted", mounted("open /etc/app/settings.yaml: no such file or directory", path="/etc/app"), F.K8S_CRASH_CONFIG, "ConfigMap/shop/front"),
    fault("a policy lets only names out, and not to the database", egress, F.K8S_NETPOL, "NetworkPolicy/shop/few-out"),
    well("a policy lets names out and to the database", lambda s: egress(s, allow_db=True)),
    fault("a host is misspelt", misspelt_host, F.K8S_CRASH_CONFIG, "Deployment/shop/cart"),
    fault("a service was never made", absent_service, F.K8S_CRASH_DEP, "Service/shop/payments"),
    fault("a service stands in another namespace than the one that is asked", other_namespace, F.K8S_CRASH_CONFIG, WEB),
    fault("a readiness gate is not fulfilled", gate, F.K8S_PROBE_READY),
    fault("a hook after the start fails", hook, F.K8S_CRASH_CMD),
    fault("the node ran out of memory and killed it", node_oom, F.K8S_NODE_PRESSURE, "Node/n1"),
    fault("the network plugin crashes", network_plugin, F.K8S_CRASH_APP, "DaemonSet/kube-system/calico-node"),
    fault("a load balancer is not made", balancer, F.K8S_SVC_SELECTOR, "Service/shop/front"),
    fault("the new revision has no image, while the old one serves", half_rolled, F.K8S_IMAGE_NOTFOUND),
    fault("a cron job waits for a run that does not end", long_job, F.K8S_JOB, "CronJob/shop/nightly"),
    fault("no token is mounted for a program that asks the cluster", no_token, F.K8S_RBAC),
    fault("one kind of request fails again and again", overloaded_endpoint, F.K8S_CRASH_DEP),
    fault("it starts too slowly for its startup probe", slow_start, F.K8S_CRASH_LIVENESS),
    fault("a node has nearly the label that is asked for", zone, F.K8S_PENDING_AFFINITY),
    fault("a priority class does not exist", refused('pods "web-" is forbidden: no PriorityClass with name high was found'), F.K8S_MOUNT, "PriorityClass/high"),
    fault("a runtime class does not exist", refused('pods "web-" is forbidden: pod rejected: RuntimeClass "gvisor" not found'), F.K8S_MOUNT, "RuntimeClass/gvisor"),
    fault("a port of the node is taken", pending("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."), F.K8S_PENDING_UNSCHED),
    fault("pods cannot be spread as they should", pending("0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints."), F.K8S_PENDING_AFFINITY),
    fault("a volume is in another zone", pending("0/3 nodes are available: 3 node(s) had volume node affinity conflict."), F.K8S_PENDING_PVC),
    fault("it used more of the disk than it may", lambda s: [s.short("web"), [p.update(status={"phase": "Failed", "reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."}) for p in s.pods("web")]], F.K8S_NODE_PRESSURE),
    fault("a registry cannot be reached", waits("ErrImagePull", "", PULL + "failed to do request: Head https://registry.acme.io/v2/: dial tcp 10.1.1.1:443: i/o timeout"), F.K8S_IMAGE_NOTFOUND),
    fault("a profile of seccomp is not on the node", waits("CreateContainerError", "failed to create containerd container: cannot load seccomp profile \"/var/lib/kubelet/seccomp/audit.json\": no such file"), F.K8S_CRASH_PERM),
    fault("a file to be mounted alone is not there", waits("CreateContainerConfigError", 'failed to prepare subPath for volumeMount "conf" of container "app"'), F.K8S_MOUNT),
    fault("a driver for volumes is not installed", lambda s: [s.tell(p, "FailedMount", 'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers') for p in s.wait("web", "ContainerCreating")], F.K8S_MOUNT),
    fault("an operator lacks the definition of its kind", crash('no matches for kind "Order" in version "acme.io/v1"'), F.DEP_API),
    fault("an account's token is not accepted", crash("Unauthorized: the server has asked for the client to provide credentials (get pods)"), F.K8S_RBAC),
    fault("it ends at once, as if it had nothing to do", crash(code=0, reason="Completed"), F.K8S_CRASH_APP),
    fault("two programs want one port", crash("listen tcp :8080: bind: address already in use"), F.K8S_CRASH_CONFIG),
    fault("it may not bind a low port", crash("bind() to 0.0.0.0:80 failed (13: Permission denied)"), F.K8S_CRASH_PERM),
    fault("the claim of a set is refused by a quota", lambda s: [s.workload("db", kind="StatefulSet", replicas=0), s.get("StatefulSet", "db")["spec"].update(replicas=1), s.tell(s.get("StatefulSet", "db"), "FailedCreate", 'create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: persistentvolumeclaims "data-db-0" is forbidden: exceeded quota: storage, requested: requests.storage=8Gi, used: requests.storage=10Gi, limited: requests.storage=10Gi')], F.K8S_QUOTA, "ResourceQuota/shop/storage"),
    fault("a readiness probe asks a path that does not exist", unready(("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404")), F.K8S_PROBE_READY),
    fault("a database refuses the password", crash('FATAL: password authentication failed for user "web"'), F.K8S_CRASH_CONFIG),
    fault("a variable is not a number", crash("ValueError: invalid literal for int() with base 10: '80a'"), F.K8S_CRASH_APP),
    fault("the log says that the disk of the program is full", crash("write /data/wal: no space left on device"), F.K8S_NODE_PRESSURE),
    hint("nodes were started anew", lambda s: s.tell(s.get("Node", "n1", ""), "Rebooted", "Node n1 has been rebooted, boot id: 1"), F.K8S_NODE_NOTREADY, "Node/n1"),
    fault("a node cannot free its disk", lambda s: s.tell(s.get("Node", "n1", ""), "FreeDiskSpaceFailed", "Failed to garbage collect required amount of images. Attempted to free 3 GB, but only found 0 bytes eligible to free."), F.K8S_NODE_PRESSURE, "Node/n1"),
)  # fmt: skip
