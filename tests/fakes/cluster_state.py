"""Builds the state of a cluster in the API's own shape: a healthy shop first, and what a test makes of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tasks.clients.kubernetes.gathering import Gathering
from tasks.clients.kubernetes.kinds import KINDS
from tasks.domain.cluster import ClusterSnapshot

Raw = dict[str, Any]
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SPACE = "shop"
REQUESTS = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}


def ago(minutes: float) -> str:
    """A time that many minutes before the state was read."""
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


class State:
    """A cluster with one healthy node, and a namespace in which `web` runs behind a Service of its name."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Raw] = {}
        self.events: list[Raw] = []
        self.logs: list[tuple[str, str, bool, list[str]]] = []
        self.listed = set(KINDS)
        self._addresses = iter(range(10, 250))
        self.put("Namespace", SPACE, namespace="", status={"phase": "Active"})
        self.put("ServiceAccount", "default")
        self.put("ConfigMap", "kube-root-ca.crt", data={"ca.crt": "x"})
        self.node("n1")
        self.put(
            "StorageClass",
            "standard",
            namespace="",
            annotations={"storageclass.kubernetes.io/is-default-class": "true"},
            provisioner="rancher.io/local-path",
            volumeBindingMode="WaitForFirstConsumer",
        )
        self.workload("web")
        self.service("web")

    def put(
        self,
        kind: str,
        name: str,
        *,
        namespace: str = SPACE,
        labels: Raw | None = None,
        annotations: Raw | None = None,
        owner: Raw | None = None,
        age: float = 360,
        metadata: Raw | None = None,
        **rest: Any,
    ) -> Raw:
        """Make an object, or replace it; `age` in minutes."""
        about: Raw = {"name": name, "uid": f"{kind}-{namespace}-{name}", "creationTimestamp": ago(age)}
        about |= {"labels": labels or {}, "annotations": annotations or {}, **(metadata or {})}
        if namespace:
            about["namespace"] = namespace
        if owner is not None:
            row = {"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
            about["ownerReferences"] = [{**row, "apiVersion": owner.get("apiVersion", "v1"), "controller": True}]
        known = KINDS.get(kind)
        version = rest.pop("apiVersion", known.api_version if known else "v1")
        made: Raw = {"apiVersion": version, "kind": kind, "metadata": about, **rest}
        self.objects[kind, namespace, name] = made
        self.listed.add(kind)
        return made

    def get(self, kind: str, name: str, namespace: str = SPACE) -> Raw:
        """An object that was made."""
        return self.objects[kind, namespace, name]

    def drop(self, kind: str, name: str, namespace: str = SPACE) -> None:
        """Take an object away."""
        del self.objects[kind, namespace, name]

    def node(self, name: str, *conditions: Raw, **spec: Any) -> Raw:
        """A node that is ready, unless a condition says otherwise."""
        said = {"Ready": "True", "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False"}
        rows = {kind: {"type": kind, "status": status, "lastHeartbeatTime": ago(0.5)} for kind, status in said.items()}
        rows |= {str(row["type"]): row for row in conditions}
        status = {"conditions": list(rows.values()), "allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
        return self.put("Node", name, namespace="", labels={"kubernetes.io/hostname": name}, spec=spec, status=status)

    def workload(
        self,
        name: str,
        container: Raw | None = None,
        *,
        kind: str = "Deployment",
        replicas: int = 1,
        labels: Raw | None = None,
        pod: Raw | None = None,
        age: float = 360,
        namespace: str = SPACE,
        **spec: Any,
    ) -> Raw:
        """What makes pods, and its pods, all ready; `pod` is added to the specification of its pods."""
        chosen = labels or {"app": name}
        first = {"name": "app", "image": f"registry.acme.io/{name}:1.4.2", "resources": REQUESTS, **(container or {})}
        template = {"metadata": {"labels": chosen}, "spec": {"containers": [first], **(pod or {})}}
        counts = {field: replicas for field in ("replicas", "readyReplicas", "availableReplicas", "updatedReplicas")}
        if kind == "DaemonSet":
            counts = {"desiredNumberScheduled": replicas, "numberReady": replicas, "updatedNumberScheduled": replicas}
        wanted = {"selector": {"matchLabels": chosen}, "template": template, **spec}
        if kind not in ("DaemonSet", "Job"):
            wanted = {"replicas": replicas, **wanted}
        made = self.put(kind, name, labels=chosen, spec=wanted, status=counts, age=age, namespace=namespace)
        maker = made
        if kind == "Deployment":
            revision = {"deployment.kubernetes.io/revision": "1"}
            maker = self.put(
                "ReplicaSet", f"{name}-5d4f8c7b9", annotations=revision, owner=made, labels=chosen,
                spec=dict(wanted), status=dict(counts), age=age, namespace=namespace,
            )  # fmt: skip
        for number in range(replicas):
            suffix = str(number) if kind == "StatefulSet" else f"abc{number}x"
            self.pod(f"{maker['metadata']['name']}-{suffix}", template, owner=maker, age=age, namespace=namespace)
        return made

    def pod(
        self, name: str, template: Raw, *, owner: Raw | None = None, age: float = 360, namespace: str = SPACE
    ) -> Raw:
        """A pod that is ready."""
        address = f"10.42.0.{next(self._addresses)}"
        rows = [
            {"name": row["name"], "ready": True, "restartCount": 0, "state": {"running": {"startedAt": ago(age)}}}
            for row in template["spec"]["containers"]
        ]
        ready = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "Ready")]
        status = {"phase": "Running", "podIP": address, "startTime": ago(age), "conditions": ready}
        return self.put(
            "Pod",
            name,
            namespace=namespace,
            labels=template["metadata"]["labels"],
            owner=owner,
            age=age,
            spec={**template["spec"], "nodeName": "n1"},
            status={**status, "containerStatuses": rows},
        )

    def service(
        self, name: str, *, selector: Raw | None = None, port: int = 80, target: Any = None, **spec: Any
    ) -> Raw:
        """A Service for the pods of the workload of its name, with the endpoints that it has."""
        chosen = {"app": name} if selector is None else selector
        row = {"port": port, **({"targetPort": target} if target is not None else {})}
        wanted = {"clusterIP": f"10.43.0.{next(self._addresses)}", "selector": chosen, "ports": [row], **spec}
        return self.put("Service", name, spec=wanted)

    def pods(self, name: str) -> list[Raw]:
        """The pods of a workload, by the label of its name."""
        return [raw for raw in self.objects.values() if raw["kind"] == "Pod" and self._belongs(raw, name)]

    @staticmethod
    def _belongs(raw: Raw, name: str) -> bool:
        owner = raw["metadata"].get("ownerReferences", [{}])[0].get("name", raw["metadata"]["name"])
        return bool(owner == name or owner.startswith(f"{name}-"))

    def short(self, name: str) -> None:
        """Of the workload no pod is ready."""
        for raw in self.objects.values():
            owned = raw["metadata"]["name"] == name or self._belongs(raw, name)
            if owned and raw["kind"] in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
                for field in ("readyReplicas", "availableReplicas", "numberReady"):
                    raw["status"].pop(field, None)
                raw["status"]["unavailableReplicas"] = raw["spec"].get("replicas", 1)

    def unready(self, name: str, *, state: Raw | None = None, last: Raw | None = None, restarts: int = 0) -> list[Raw]:
        """The pods of a workload run and are not ready, or are in the given state; returns them."""
        self.short(name)
        pods = self.pods(name)
        for pod in pods:
            for condition in pod["status"]["conditions"]:
                if condition["type"] == "Ready":
                    condition["status"] = "False"
            for row in pod["status"]["containerStatuses"]:
                row |= {"ready": False, "restartCount": restarts}
                row["state"] = state or row["state"]
                row["lastState"] = {"terminated": last} if last else {}
        return pods

    def wait(self, name: str, reason: str, message: str = "") -> list[Raw]:
        """The containers of a workload never started, for that reason."""
        pods = self.unready(name, state={"waiting": {"reason": reason, "message": message}})
        for pod in pods:
            pod["status"]["phase"] = "Pending"
        return pods

    def crash(self, name: str, *lines: str, code: int = 1, reason: str = "Error", message: str = "") -> list[Raw]:
        """The containers of a workload end again and again; the lines are the log of the one before."""
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
        last = {"exitCode": code, "reason": reason, "finishedAt": ago(1), **({"message": message} if message else {})}
        pods = self.unready(name, state={"waiting": waiting}, last=last, restarts=7)
        for pod in pods if lines else ():
            self.log(pod, *lines, previous=True)
        return pods

    def pending(self, name: str, message: str = "", *, tell: bool = True) -> list[Raw]:
        """No node takes the pods of a workload."""
        self.short(name)
        pods = self.pods(name)
        for pod in pods:
            pod["spec"].pop("nodeName", None)
            row = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
            pod["status"] = {"phase": "Pending", "conditions": [row] if message else []}
            if message and tell:
                self.tell(pod, "FailedScheduling", message)
        return pods

    def tell(self, about: Raw, reason: str, message: str, *, minutes: float = 1, kind: str = "Warning") -> None:
        """An event."""
        named = about["metadata"]
        place = {"kind": about["kind"], "name": named["name"], "namespace": named.get("namespace", "")}
        metadata = {"name": f"{named['name']}.{len(self.events):x}", "namespace": named.get("namespace", "default")}
        told = {"reason": reason, "message": message, "type": kind, "count": 5, "lastTimestamp": ago(minutes)}
        self.events.append({"apiVersion": "v1", "kind": "Event", "metadata": metadata, "involvedObject": place, **told})

    def log(self, pod: Raw, *lines: str, previous: bool = False) -> None:
        """Lines of the log of a pod's first container."""
        self.logs.append((pod["metadata"]["namespace"], pod["metadata"]["name"], previous, list(lines)))

    def snapshot(self) -> ClusterSnapshot:
        """What a capture makes of it."""
        into = Gathering()
        into.recorded = True
        for raw in (*self.objects.values(), *self.events):
            into.add(raw)
        for namespace, pod, previous, lines in self.logs:
            into.add_log(namespace, pod, "app", lines, previous=previous)
        into.listed_kinds = set(self.listed)
        return into.snapshot(captured_at=NOW)


Plant = Callable[[State], object]
