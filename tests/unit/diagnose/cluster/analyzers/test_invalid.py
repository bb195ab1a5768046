"""Manifests that the API server or the scheduler will refuse, each beside one that is taken."""

import pytest

from tasks.diagnose.analyzers.cluster.invalid import find_invalid
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import noticed, read_in

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: REPLICAS, template: {spec: {MORE, containers: [{name: app, image: a, RESOURCES}]}}}
"""
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: other}
spec: {type: NodePort, ports: [{port: 80, nodePort: PORT}]}
"""
CLASS = "---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 9\n"


def told(
    more: str = "hostNetwork: false", resources: str = "tty: false", replicas: int = 1, rest: str = ""
) -> list[str]:
    text = WEB.replace("MORE", more).replace("RESOURCES", resources).replace("REPLICAS", str(replicas))
    return [str(clue.target) for clue in read_in(find_invalid, text + rest)]


@pytest.mark.parametrize(
    ("asked", "limit", "found"), [("512Mi", "256Mi", 1), ("256Mi", "256Mi", 0), ("100m", "1", 0), ("2", "1500m", 1)]
)
def test_request_above_its_limit_is_refused(asked: str, limit: str, found: int) -> None:
    resources = f"resources: {{requests: {{cpu: '{asked}'}}, limits: {{cpu: '{limit}'}}}}"
    assert told(resources=resources) == ["Deployment/shop/web"] * found


@pytest.mark.parametrize(("port", "found"), [("30080", ["Service/other/b"]), ("30081", [])])
def test_port_of_the_nodes_is_given_once(port: str, found: list[str]) -> None:
    assert [str(clue.target) for clue in read_in(find_invalid, SERVICES.replace("PORT", port))] == found


def test_class_that_nobody_defines_is_the_object_that_is_missing() -> None:
    assert told("priorityClassName: high") == ["PriorityClass/high"]
    assert told("runtimeClassName: gvisor") == ["RuntimeClass/gvisor"]


def test_class_that_is_defined_or_comes_with_the_cluster_is_well() -> None:
    assert told("priorityClassName: high", rest=CLASS) == []
    assert told("priorityClassName: system-node-critical") == []


@pytest.mark.parametrize(("replicas", "found"), [(1, 0), (3, 1)])
def test_port_of_a_node_serves_one_replica_of_a_node(replicas: int, found: int) -> None:
    assert len(told(resources="ports: [{containerPort: 80, hostPort: 80}]", replicas=replicas)) == found


def test_cluster_that_runs_tells_by_itself() -> None:
    def plant(state: State) -> None:
        state.workload("web", {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}})

    assert noticed(find_invalid, plant) == set()
