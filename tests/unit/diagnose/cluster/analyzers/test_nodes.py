"""Nodes that cannot hold pods are named with what they say; what a node got over is worth knowing only."""

import pytest

from tasks.diagnose.analyzers.cluster.nodes import find_node_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("the kubelet no longer answers", "node", "Node/n1"),
    ("its disk is full", "node-pressure", "Node/n1"),
    ("it has no network", "node-condition", "Node/n1"),
    ("its pods were thrown out", "evicted", "Node/n1"),
    ("its node is cordoned", "cordoned", "Node/n1"),
    ("a node cannot free its disk", "node-event", "Node/n1"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_node_in_trouble_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_node_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_node_faults, lambda state: None) == set()


def test_closed_node_that_nobody_waits_for_is_worth_knowing_only() -> None:
    assert noticed(find_node_faults, "it is cordoned and nothing waits for it") == {
        ("cluster-cordoned", "Node/n1", True)
    }


def test_node_is_quoted_with_its_own_condition() -> None:
    (clue,) = (one for one in clues(find_node_faults, "its disk is full") if one.rule == "cluster-node-pressure")
    assert clue.quotes[0].source == "status:Node/n1"


def test_kind_of_condition_that_nobody_knows_is_no_fault() -> None:
    def odd(state: State) -> None:
        state.node("n1", {"type": "KernelDeadlock", "status": "Unknown", "reason": "x", "message": "y"})

    assert noticed(find_node_faults, odd) == set()
