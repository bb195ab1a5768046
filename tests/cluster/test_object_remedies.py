"""Remedies that make, delete or switch objects: healed end to end on a real cluster."""

import time

import pytest

from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.incident import IncidentStatus
from tests.cluster.faults import container, deployment
from tests.cluster.shop import Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]


def test_evicted_pod_is_deleted(shop: Shop, healing: Healing, cluster: Cluster, namespace: str) -> None:
    fills = f"[ $(date +%s) -lt {int(time.time() + 15)} ] && dd if=/dev/zero of=/scratch/full bs=1M count=8; sleep 3600"
    mounted = container(fills, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    volumes = [{"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}}]
    importer = Shop(cluster, namespace, healing, deployment(mounted, name="importer", volumes=volumes))

    def evicted() -> list[str]:
        pods = cluster.list_raw("Pod", namespace=namespace)
        return [pod["metadata"]["name"] for pod in pods if pod["status"].get("reason") == "Evicted"]

    shop.wait(lambda: len(evicted()) == 1 and importer.read().status.get("readyReplicas") == 1, seconds=150)
    outcome = importer.heal(importer.open_incident())
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("delete_pod",)
    assert evicted() == []
