"""Which probe is blamed where several ask ports that their container does not declare, as those of CoreDNS do."""

from typing import Any

from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.failure_class import FailureClass as F


def unready(restarts: int) -> ClusterSnapshot:
    container = {
        "name": "coredns",
        "ports": [{"containerPort": 53, "name": "dns"}, {"containerPort": 53, "name": "dns-tcp"}],
        "livenessProbe": {"httpGet": {"port": 8080}},
        "readinessProbe": {"httpGet": {"port": 8181}},
    }
    template: dict[str, Any] = {"metadata": {"labels": {"app": "dns"}}, "spec": {"containers": [container]}}
    place = {"namespace": "shop", "name": "dns"}
    workload = {
        "kind": "Deployment",
        "metadata": place,
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "dns"}}, "template": template},
        "status": {"unavailableReplicas": 1},
    }
    owner = {"kind": "Deployment", "name": "dns", "controller": True}
    state = {"name": "coredns", "ready": False, "restartCount": restarts, "state": {"running": {}}}
    pod = {
        "kind": "Pod",
        "metadata": {**place, "name": "dns-1", "labels": {"app": "dns"}, "ownerReferences": [owner]},
        "spec": template["spec"],
        "status": {"phase": "Running", "containerStatuses": [state]},
    }
    return ClusterSnapshot(objects=tuple(KubeObject(raw=raw) for raw in (workload, pod)))


def test_probe_that_kills_is_not_blamed_while_nothing_was_killed() -> None:
    found = diagnose_cluster(unready(0)).causes
    assert [one.diagnosis.failure_class for one in found] == [F.K8S_PROBE_READY]
    assert "8181" in found[0].diagnosis.cause
    assert "listens on 53." in found[0].diagnosis.cause


def test_probe_that_kills_is_blamed_once_it_did() -> None:
    found = diagnose_cluster(unready(3)).causes
    assert found[0].diagnosis.failure_class is F.K8S_CRASH_LIVENESS
    assert "8080" in found[0].diagnosis.cause
