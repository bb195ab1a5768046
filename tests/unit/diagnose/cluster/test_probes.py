"""Which probe is blamed where several ask ports that their container does not declare, as those of CoreDNS do."""

from typing import Any

import pytest

from tasks.diagnose.analyzers.cluster.probes import find_failing_probes
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.failure_class import FailureClass as F
from tests.unit.diagnose.cluster.analyzers.noticing import read_in


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


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: app, image: IMAGE, readinessProbe: PROBE}]}}}
"""
FILE = "{exec: {command: [cat, /tmp/ready]}}"
PATH = "{httpGet: {path: /healthz, port: 80}}"


@pytest.mark.parametrize(
    ("image", "probe", "found"),
    [
        ('busybox, command: [sh, -c, "touch /tmp/started; sleep 3600"]', FILE, 1),
        ('busybox, command: [sh, -c, "touch /tmp/ready; sleep 9; rm -f /tmp/ready; sleep 3600"]', FILE, 1),
        ('busybox, command: [sh, -c, "touch /tmp/ready; sleep 3600"]', FILE, 0),
        ("acme/shop", FILE, 0),
        ('"nginx:1.27"', PATH, 1),
        ('"nginx:1.27"', "{httpGet: {path: /, port: 80}}", 0),
        ('"nginx:1.27"', "{tcpSocket: {port: 80}}", 0),
        ('"nginx:1.27", volumeMounts: [{name: conf, mountPath: /etc/nginx/conf.d}]', PATH, 0),
        ('"acme/nginx-shop:1"', PATH, 0),
    ],
)
def test_probe_is_held_against_what_its_container_makes_and_serves(image: str, probe: str, found: int) -> None:
    assert len(read_in(find_failing_probes, WEB.replace("IMAGE", image).replace("PROBE", probe))) == found
