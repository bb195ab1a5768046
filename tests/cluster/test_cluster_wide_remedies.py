"""Remedies that reach beyond a namespace, on a real cluster as the generated accounts: a node's room, a node, the DNS."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.demo.project import DemoRepository
from flows.explain_cluster import explain_live_cluster
from flows.heal_cluster import cluster_signal
from flows.undo import undo_heal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_state import CLUSTER_DNS, CORDONED_BY, RESTARTED_FOR
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import Incident, IncidentStatus, open_incident
from tasks.domain.quantity import amount
from tests.cluster.accounts import generated_accounts
from tests.cluster.faults import container, deployment
from tests.cluster.nodes import node_without_kubelet
from tests.cluster.shop import Shop
from tests.cluster.treatments import scaled_to
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect, pytest.mark.alone]
DEAF = ".:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa ip6.arpa\n    forward . /etc/resolv.conf\n}\n"
"""A Corefile with which CoreDNS answers no probe, and does not notice that the file is put right."""


@pytest.fixture
def healing(
    cluster: Cluster, namespace: str, prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Healing]:
    with generated_accounts(cluster, (namespace, CLUSTER_DNS.namespace), tmp_path / "accounts.yaml") as kubeconfig:
        monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(kubeconfig))
        monkeypatch.setenv("HEALFLOW_KUBERNETES__CONTEXT", "observer")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__HEALER_CONTEXT", "healer")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "60")
        yield Healing(DemoRepository(tmp_path / "none"))


def named(shop: Shop, found: F, kind: str) -> Incident:
    """The incident, once this is what is said first."""

    def shows() -> bool:
        causes = shop.explain().causes
        return bool(causes) and (causes[0].diagnosis.failure_class, causes[0].target.kind) == (found, kind)

    Shop.wait(shows, seconds=20)
    return shop.open_incident()


def test_requests_that_leave_no_room_are_lowered_to_what_is_used(
    cluster: Cluster, namespace: str, healing: Healing
) -> None:
    node = next(cluster.list_raw("Node"))
    asked = str(int((amount(dig(node, "status", "allocatable", "memory")) or 0) * 0.52))
    wants = container("sleep 3600", resources={"requests": {"memory": asked}})
    shop = Shop(cluster, namespace, healing, deployment(wants))
    shop.change("/spec/replicas", 2)
    outcome = shop.heal(named(shop, F.K8S_PENDING_RES, "Deployment"))
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("size_resources",)
    first = dig(shop.read().raw, "spec", "template", "spec", "containers")[0]
    assert (amount(dig(first, "resources", "requests", "memory")) or 0) < float(asked) / 100
    assert shop.read().status.get("readyReplicas") == 2


@contextmanager
def cordoned(cluster: Cluster, node: ObjectRef) -> Iterator[None]:
    """A real node that takes no pods for a moment, as Healflow would have closed it."""
    seen = cluster.read(node)
    marks = {**seen.annotations, CORDONED_BY: "inc-drain"}
    cluster.patch(
        node,
        [
            {"op": "add", "path": "/spec/unschedulable", "value": True},
            {"op": "replace", "path": "/metadata/annotations", "value": marks},
        ],
    )
    try:
        yield
    finally:
        left = cluster.read(node)
        paths = ["/spec/unschedulable"] if left.spec.get("unschedulable") else []
        paths += [f"/metadata/annotations/{CORDONED_BY.replace('/', '~1')}"] if CORDONED_BY in left.annotations else []
        cluster.patch(node, [{"op": "remove", "path": path} for path in paths])


def test_node_that_healflow_closed_is_opened_again(cluster: Cluster, namespace: str, healing: Healing) -> None:
    node = ObjectRef(kind="Node", name=next(cluster.list_raw("Node"))["metadata"]["name"])
    shop = Shop(cluster, namespace, healing, scaled_to(0, deployment()))
    with cordoned(cluster, node):
        shop.change("/spec/replicas", 1)
        outcome = shop.heal(named(shop, F.K8S_PENDING_UNSCHED, "Node"))
        seen = cluster.read(node)
        assert outcome.status is IncidentStatus.HEALED, outcome.summary
        assert outcome.action_names == ("uncordon_node",)
        assert not seen.spec.get("unschedulable")
        assert CORDONED_BY not in seen.annotations
        assert shop.read().status.get("readyReplicas") == 1


def test_node_that_somebody_else_closed_stays_closed(cluster: Cluster, namespace: str, healing: Healing) -> None:
    shop = Shop(cluster, namespace, healing, scaled_to(0, deployment(nodeSelector={"pool": namespace})))
    with node_without_kubelet(cluster, namespace, {"unschedulable": True}) as node:
        shop.change("/spec/replicas", 1)
        outcome = healing.start(named(shop, F.K8S_PENDING_UNSCHED, "Node"))
        assert outcome is not None, "nobody is asked"
        assert outcome.status is IncidentStatus.REPORTED, outcome.summary
        assert "not Healflow that cordoned it" in outcome.summary
        assert cluster.read(node).spec.get("unschedulable") is True


SPARE = {"name": "coredns-spare", "namespace": CLUSTER_DNS.namespace}
COREFILE = ObjectRef(kind="ConfigMap", namespace=CLUSTER_DNS.namespace, name="coredns")


@contextmanager
def deaf_dns(cluster: Cluster) -> Iterator[None]:
    """CoreDNS with a pod that never gets ready. A pod that belongs to nobody answers the rest of the cluster meanwhile."""
    good = cluster.read(COREFILE).raw["data"]["Corefile"]
    spare = [cluster.create(one) for one in spare_dns(cluster, good)]
    try:
        Shop.wait(lambda: cluster.read(spare[1].ref).condition("Ready").get("status") == "True")
        set_corefile(cluster, DEAF)
        delete_pods(cluster, dns_pods(cluster))
        Shop.wait(lambda: any(dig(raw, "status", "containerStatuses") for raw in dns_pods(cluster)))
        set_corefile(cluster, good)
        yield
    finally:
        set_corefile(cluster, good)
        delete_pods(cluster, [raw for raw in dns_pods(cluster) if not is_ready(raw)])
        Shop.wait(lambda: cluster.read(CLUSTER_DNS).status.get("readyReplicas"))
        for one in spare:
            cluster.delete(one.ref, uid=str(one.raw["metadata"]["uid"]))


def spare_dns(cluster: Cluster, corefile: str) -> list[dict[str, Any]]:
    """What the pods of CoreDNS are made of, as a pod with a configuration of its own."""
    spec = json.loads(json.dumps(cluster.read(CLUSTER_DNS).pod_template["spec"]))
    for volume in spec["volumes"]:
        if "configMap" in volume:
            volume["configMap"] = {"name": SPARE["name"]}
    metadata = {**SPARE, "labels": {"k8s-app": "kube-dns"}}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": SPARE, "data": {"Corefile": corefile}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    ]


def set_corefile(cluster: Cluster, text: str) -> None:
    cluster.patch(COREFILE, [{"op": "replace", "path": "/data/Corefile", "value": text}])


def dns_pods(cluster: Cluster) -> list[dict[str, Any]]:
    pods = cluster.list_raw("Pod", namespace=CLUSTER_DNS.namespace, query={"labelSelector": "k8s-app=kube-dns"})
    return [
        raw for raw in pods if raw["metadata"].get("ownerReferences") and not raw["metadata"].get("deletionTimestamp")
    ]


def delete_pods(cluster: Cluster, pods: list[dict[str, Any]]) -> None:
    for raw in pods:
        ref = ObjectRef(kind="Pod", namespace=CLUSTER_DNS.namespace, name=raw["metadata"]["name"])
        cluster.delete(ref, uid=raw["metadata"]["uid"])


def is_ready(raw: dict[str, Any]) -> bool:
    return KubeObject(raw=raw).condition("Ready").get("status") == "True"


def mark(cluster: Cluster) -> str:
    return str(dig(cluster.read(CLUSTER_DNS).pod_template, "metadata", "annotations", RESTARTED_FOR) or "")


def test_dns_without_a_ready_pod_is_restarted_once(cluster: Cluster, namespace: str, healing: Healing) -> None:
    incidents = healing.ledger.incidents

    def opened() -> Incident:
        causes: list[ClusterCause] = []

        def shows() -> bool:
            found = explain_live_cluster(
                healing.settings.kubernetes, namespace=CLUSTER_DNS.namespace, now=datetime.now(UTC)
            )
            causes[:] = [one for one in found.causes if one.target == CLUSTER_DNS]
            return bool(causes)

        Shop.wait(shows)
        now = datetime.now(UTC)
        return incidents.open(open_incident(cluster_signal(causes[0], now=now), now=now))

    with deaf_dns(cluster):
        incident = opened()
        assert healing.start(incident) is None, healing.story(incident)
        assert not mark(cluster), "nothing is changed before the answer"
        healing.answer(incident, Answer.APPROVE)
        outcome = healing.go_on(incident)
        assert outcome is not None
        assert outcome.status is IncidentStatus.HEALED, outcome.summary
        assert outcome.action_names == ("restart_coredns",)
        assert mark(cluster).endswith(incident.id)
        assert all(is_ready(raw) for raw in dns_pods(cluster))
    undo_heal(healing.settings, incident.id, by="ada")
    assert not mark(cluster)
    Shop.wait(lambda: all(is_ready(raw) for raw in dns_pods(cluster)))
