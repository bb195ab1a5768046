"""Pods that no node takes: what the scheduler says of most nodes, without its remarks on preemption."""

import pytest

from tasks.diagnose.analyzers.cluster.scheduling import find_unscheduled
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("no node has room", "pending", "Deployment/shop/web"),
    ("a gate holds it back", "pending-gated", "Deployment/shop/web"),
    ("the network plugin fails", "sandbox", "Deployment/shop/web"),
    ("nodes are kept for others by a taint", "pending", "Deployment/shop/web"),
    ("a port of the node is taken", "pending", "Deployment/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_pod_that_no_node_takes_is_told_of_its_workload(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_unscheduled, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_unscheduled, lambda state: None) == set()


def test_most_nodes_decide_on_the_class() -> None:
    said = "0/5 nodes are available: 1 Insufficient cpu, 4 node(s) had untolerated taint {dedicated: gpu}."
    (clue,) = clues(find_unscheduled, lambda state: state.pending("web", said))
    assert clue.failure_class == "k8s.pending.taint"


def test_control_plane_that_takes_no_pods_is_not_why() -> None:
    said = "0/4 nodes are available: 1 Insufficient memory, 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }."
    (clue,) = clues(find_unscheduled, lambda state: state.pending("web", said))
    assert clue.failure_class == "k8s.pending.res"
