"""Specifications that cannot work as they are written, each beside one that looks alike and can."""

from typing import Any

import pytest

from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.failure_class import FailureClass as F

Object = dict[str, Any]
KINDS = frozenset(["Service", "ConfigMap", "Secret", "ServiceAccount"])


def made(kind: str, name: str, api: str = "v1", **rest: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **rest}


def workload(container: Object | None = None, name: str = "web", labels: Object | None = None, **spec: Any) -> Object:
    template = {
        "metadata": {"labels": labels or {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.25", **(container or {})}], **spec},
    }
    return made("Deployment", name, "apps/v1", spec={"selector": {"matchLabels": {"app": name}}, "template": template})


def waiting(command: str) -> Object:
    row = {"name": "wait", "image": "busybox:1.36", "command": ["sh", "-c", command]}
    return workload(initContainers=[row])


def service(name: str) -> Object:
    return made("Service", name, spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 80}]})


def policy(app: str) -> Object:
    ingress = [{"from": [{"podSelector": {"matchLabels": {"app": app}}}]}]
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": ingress}
    return made("NetworkPolicy", "who", "networking.k8s.io/v1", spec=spec)


def guarded(port: int | str, end: int | None = None) -> tuple[Object, ...]:
    """A web server on port 80 (http), its caller, and a policy that lets the caller through to one port or a range."""
    row = {"port": port, **({"endPort": end} if end else {})}
    ingress = [{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [row]}]
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": ingress}
    web = workload({"ports": [{"name": "http", "containerPort": 80}]})
    api = workload({"env": [{"name": "WEB", "value": "http://web:80"}]}, name="api")
    return web, service("web"), api, made("NetworkPolicy", "who", "networking.k8s.io/v1", spec=spec)


def asleep(delay: int) -> Object:
    probe = {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": delay, "periodSeconds": 5}
    return workload({"command": ["sh", "-c", "sleep 60; nginx"], "livenessProbe": probe})


def read_only(**more: Any) -> Object:
    command = ["sh", "-c", "echo x > /data/file; sleep 100"]
    return workload({"command": command, "securityContext": {"readOnlyRootFilesystem": True}, **more})


def user(number: int) -> Object:
    return workload(securityContext={"runAsNonRoot": True, "runAsUser": number})


def asking(cpu: str) -> Object:
    return workload({"resources": {"requests": {"cpu": cpu}}})


def lister(resource: str) -> tuple[Object, ...]:
    role = made("Role", "lister", rules=[{"apiGroups": [""], "resources": [resource], "verbs": ["get", "list"]}])
    reference = {"kind": "Role", "name": "lister"}
    subjects = [{"kind": "ServiceAccount", "name": "lister", "namespace": "shop"}]
    binding = made("RoleBinding", "lister", roleRef=reference, subjects=subjects)
    command = {"command": ["sh", "-c", "while true; do kubectl get pods -n shop || exit 1; sleep 5; done"]}
    return role, binding, made("ServiceAccount", "lister"), workload(command, serviceAccountName="lister")


def first(*objects: Object) -> tuple[F, str] | None:
    raw = tuple(KubeObject(raw=item) for item in objects)
    causes = diagnose_cluster(ClusterSnapshot(objects=raw, desired_only=True, listed_kinds=KINDS)).causes
    return (causes[0].diagnosis.failure_class, str(causes[0].target)) if causes else None


WEB = "Deployment/shop/web"
FAULTS = {
    "absent service": ((waiting("until nslookup db; do sleep 2; done"),), F.K8S_CRASH_DEP, "Service/shop/db"),
    "absent port": ((waiting("while ! nc -z queue 5672; do sleep 1; done"),), F.K8S_CRASH_DEP, "Service/shop/queue"),
    "other labels": ((workload(labels={"app": "website"}),), F.DEP_APPLY_INVALID, WEB),
    "root": ((user(0),), F.K8S_CRASH_PERM, WEB),
    "read-only": ((read_only(),), F.K8S_CRASH_PERM, WEB),
    "image": ((workload({"image": "ngnix:1.25"}),), F.K8S_IMAGE_NOTFOUND, WEB),
    "tag": ((workload({"image": "acme/shop:lates"}),), F.K8S_IMAGE_NOTFOUND, WEB),
    "too much": ((asking("900"),), F.K8S_PENDING_RES, WEB),
    "too early": ((asleep(1),), F.K8S_CRASH_LIVENESS, WEB),
    "other port": (guarded(8080), F.K8S_NETPOL, "NetworkPolicy/shop/who"),
    "other range": (guarded(8000, 9000), F.K8S_NETPOL, "NetworkPolicy/shop/who"),
    "rights": (lister("configmaps"), F.K8S_RBAC, "Role/shop/lister"),
    "nobody": ((workload(), workload(name="api"), policy("backend")), F.K8S_NETPOL, "NetworkPolicy/shop/who"),
}
ALIKE = {
    "service is there": (waiting("until nslookup web; do sleep 2; done"), service("web")),
    "name of the world": (waiting("until nslookup example.org; do sleep 2; done"),),
    "does not wait": (waiting("wget -q http://db/file || true"),),
    "same labels": (workload(),),
    "user that may": (user(1000),),
    "mounted": (read_only(volumeMounts=[{"name": "d", "mountPath": "/data"}]),),
    "other name": (workload({"image": "acme/ngnix-exporter:1"}),),
    "usual size": (asking("8"),),
    "patient": (asleep(90),),
    "port by number": guarded(80),
    "port by name": guarded("http"),
    "port in range": guarded(1, 1024),
    "rights enough": lister("pods"),
    "somebody": (workload(), workload(name="api"), policy("api")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_contradiction_is_named_with_the_object_that_must_change(name: str) -> None:
    objects, failure_class, target = FAULTS[name]
    assert first(*objects) == (failure_class, target)


@pytest.mark.parametrize("name", ALIKE)
def test_what_looks_alike_and_can_work_is_not_named(name: str) -> None:
    assert first(*ALIKE[name]) is None
