"""Pods that only a tainted node would take, on a node that is made for it and has no kubelet."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from flows.explain_cluster import explain_live_cluster
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.domain.failure_class import FailureClass
from tasks.settings import KubernetesSettings
from tests.cluster.faults import container, deployment

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]
_ROOM = {"cpu": "4", "memory": "8Gi", "pods": "110"}


@pytest.fixture
def tainted(cluster: Cluster, namespace: str) -> Iterator[str]:
    """A node that is ready as long as nobody misses its kubelet, which takes the cluster over half a minute."""
    labels = {"pool": namespace}
    spec = {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}
    made = cluster.create(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace, "labels": labels}, "spec": spec}
    )
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    status = [
        {"op": "add", "path": "/status", "value": {"conditions": [ready], "capacity": _ROOM, "allocatable": _ROOM}}
    ]
    cluster.connection.request(
        "PATCH", f"/api/v1/nodes/{namespace}/status", body=status, content_type="application/json-patch+json"
    )
    try:
        yield namespace
    finally:
        cluster.delete(ObjectRef(kind="Node", name=namespace), uid=str(made.raw["metadata"]["uid"]))


def test_untolerated_taint_is_named_with_the_workload(cluster: Cluster, namespace: str, tainted: str) -> None:
    wanted = deployment(container(), nodeSelector={"pool": tainted})
    cluster.create({**wanted, "metadata": {**wanted["metadata"], "namespace": namespace}})
    until = time.monotonic() + 30
    said: list[tuple[FailureClass, str]] = []
    while time.monotonic() < until:
        found = explain_live_cluster(KubernetesSettings(), namespace=namespace, now=datetime.now(UTC))
        said = [(cause.diagnosis.failure_class, cause.target.name) for cause in found.causes]
        if said and said[0] == (FailureClass.K8S_PENDING_TAINT, "cart"):
            break
        time.sleep(1)
    assert said
    assert said[0] == (FailureClass.K8S_PENDING_TAINT, "cart"), said
