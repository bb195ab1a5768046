"""The gate for the objects of a release: what it denies first, then what it asks for, then the little that it allows."""

from pathlib import Path
from typing import Any

import pytest

from tasks.domain.cluster import KubeObject
from tasks.domain.plan import Verdict
from tasks.domain.rollout import ObjectDecision
from tasks.gate.objects import decide_objects

RBAC = "rbac.authorization.k8s.io/v1"
GOOD = {"name": "app", "image": "shop/cart:v1", "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}}


def item(kind: str, api: str = "v1", **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "cart", "namespace": "shop"}, **rest}


def namespace(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", **metadata}}


def deployment(container: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    spec = {"containers": [{**GOOD, **(container or {})}], **pod}
    return item("Deployment", "apps/v1", spec={"template": {"spec": spec}})


def cron(container: dict[str, Any]) -> dict[str, Any]:
    template = {"spec": {"containers": [{**GOOD, **container}]}}
    return item("CronJob", "batch/v1", spec={"jobTemplate": {"spec": {"template": template}}})


def decide(*objects: dict[str, Any], **more: Any) -> tuple[ObjectDecision, ...]:
    given = [KubeObject(raw=one) for one in objects]
    return decide_objects(given, protected_namespaces=("kube-system",), **more)


def verdicts(*objects: dict[str, Any], **more: Any) -> list[tuple[Verdict, tuple[str, ...]]]:
    return [(one.verdict, one.rules) for one in decide(*objects, **more)]


DENIED: list[tuple[str, dict[str, Any]]] = [
    ("privileged", deployment({"securityContext": {"privileged": True}})),
    ("privileged", cron({"securityContext": {"privileged": True}})),
    ("capabilities", deployment({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}})),
    ("host_path", deployment(volumes=[{"name": "root", "hostPath": {"path": "/"}}])),
    ("host_namespace", deployment(hostNetwork=True)),
    ("host_namespace", deployment(hostPID=True)),
    ("image_not_pinned", deployment({"image": "shop/cart"})),
    ("image_not_pinned", deployment({"image": "shop/cart:latest"})),
    ("image_not_pinned", deployment({"image": "registry:5000/cart"})),
    ("image_not_pinned", deployment(initContainers=[{**GOOD, "image": "busybox"}])),
    ("no_requests", deployment({"resources": {}})),
    ("no_requests", deployment({"resources": {"requests": {"cpu": "1"}}})),
    ("no_pods_seen", item("Deployment", "apps/v1", spec={})),
    ("rbac_wildcard", item("ClusterRole", RBAC, rules=[{"verbs": ["*"], "resources": ["pods"], "apiGroups": [""]}])),
    ("rbac_wildcard", item("Role", RBAC, rules=[{"verbs": ["get"], "resources": ["*"], "apiGroups": [""]}])),
    ("cluster_admin", item("ClusterRoleBinding", RBAC, roleRef={"name": "cluster-admin"})),
    ("default_deny", item("Pod")),
    ("default_deny", item("Service", "example.com/v1")),
    ("default_deny", item("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1")),
]
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("grave_kind", namespace(labels={"pod-security.kubernetes.io/enforce": "privileged"})),
    ("grave_kind", namespace(annotations={"scheduler.alpha.kubernetes.io/node-selector": "gpu=yes"})),
    ("grave_kind", {**namespace(), "spec": {"finalizers": ["example.com/mine"]}}),
    ("grave_kind", item("NetworkPolicy", "networking.k8s.io/v1")),
    ("grave_kind", item("ClusterRole", RBAC, rules=[{"verbs": ["get"], "resources": ["pods"], "apiGroups": [""]}])),
    ("load_balancer", item("Service", spec={"type": "LoadBalancer"})),
    ("external", item("Service", spec={"type": "ExternalName"})),
    ("host_port", deployment({"ports": [{"containerPort": 80, "hostPort": 80}]})),
    ("escalation", deployment({"securityContext": {"allowPrivilegeEscalation": True}})),
]
ALLOWED = [
    deployment(),
    deployment({"image": "shop/cart@sha256:" + "a" * 64}),
    deployment({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}),
    cron({}),
    item("Service", spec={"type": "NodePort"}),
    item("ConfigMap"),
    namespace(),
    namespace(labels={}),
]


def test_each_denied_object_is_denied_by_its_own_rule() -> None:
    assert verdicts(*(one for _, one in DENIED)) == [(Verdict.DENY, (rule,)) for rule, _ in DENIED]


def test_rule_fires_although_the_container_has_no_name() -> None:
    nameless = deployment({"securityContext": {"privileged": True}})
    del nameless["spec"]["template"]["spec"]["containers"][0]["name"]
    assert verdicts(nameless) == [(Verdict.DENY, ("privileged",))]


def test_protected_namespace_is_denied_by_policy_and_floor() -> None:
    protected = item("ConfigMap")
    protected["metadata"]["namespace"] = "kube-system"
    namespace = item("Namespace")
    namespace["metadata"]["name"] = "kube-system"
    assert verdicts(protected, namespace) == [(Verdict.DENY, ("floor",))] * 2


def test_kill_switch_and_list_of_namespaces_hold_whatever_the_policy_says() -> None:
    assert verdicts(deployment(), kill_switch=True) == [(Verdict.DENY, ("floor",))]
    assert verdicts(deployment(), frozen="changes are frozen") == [(Verdict.DENY, ("floor",))]
    assert verdicts(deployment(), only_namespaces=("other",)) == [(Verdict.DENY, ("floor",))]
    assert verdicts(deployment(), only_namespaces=("shop",)) == [(Verdict.ALLOW, ("plain",))]


@pytest.mark.parametrize(
    "rego",
    [
        "package healflow\ndecision := {{",
        "package healflow\n",
        'package healflow\ndecision := "allow"',
        'package healflow\ndecision := {"verdict": "allow", "reason": "r", "rules": [], "x": 1}',
        'package healflow\ndecision := {"verdict": "allow", "reason": "r", "rules": []} if input.object.kind == "Pod"',
    ],
)
def test_policy_that_does_not_decide_denies_every_object(rego: str, tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(rego)
    assert {one.verdict for one in decide(deployment(), item("ConfigMap"), policy_dir=tmp_path)} == {Verdict.DENY}


def test_each_grave_object_asks_by_its_own_rule() -> None:
    assert verdicts(*(one for _, one in ASKED)) == [(Verdict.ASK, (rule,)) for rule, _ in ASKED]


def test_plain_objects_are_allowed() -> None:
    assert verdicts(*ALLOWED) == [(Verdict.ALLOW, ("plain",))] * len(ALLOWED)


def test_many_objects_are_decided_one_by_one_and_in_order() -> None:
    many = [deployment(hostNetwork=number == 123) for number in range(130)]
    denied = [number for number, one in enumerate(decide(*many)) if one.verdict is Verdict.DENY]
    assert denied == [123]
