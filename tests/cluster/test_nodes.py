"""Pods that only a tainted node would take, on a node that is made for it and has no kubelet."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from flows.explain_cluster import explain_live_cluster
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.failure_class import FailureClass
from tasks.settings import KubernetesSettings
from tests.cluster.faults import container, deployment
from tests.cluster.nodes import node_without_kubelet
from tests.cluster.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.alone]


@pytest.fixture
def tainted(cluster: Cluster, namespace: str) -> Iterator[str]:
    spec = {"taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]}
    with node_without_kubelet(cluster, namespace, spec):
        yield namespace


def test_untolerated_taint_is_named_with_the_workload(cluster: Cluster, namespace: str, tainted: str) -> None:
    wanted = deployment(container(), nodeSelector={"pool": tainted})
    cluster.create({**wanted, "metadata": {**wanted["metadata"], "namespace": namespace}})

    def named() -> bool:
        found = explain_live_cluster(KubernetesSettings(), namespace=namespace, now=datetime.now(UTC))
        said = [(cause.diagnosis.failure_class, cause.target.name) for cause in found.causes]
        return said[:1] == [(FailureClass.K8S_PENDING_TAINT, "cart")]

    Shop.wait(named, seconds=90)  # the scheduler may learn of the node later than of the pod
