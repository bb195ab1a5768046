"""Budgets that let no pod go while a node is to be emptied."""

import pytest

from tasks.diagnose.analyzers.cluster.budgets import find_budget_faults
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed, read_in

NOTICED = (
    ("a budget keeps a node from being emptied", "budget", "PodDisruptionBudget/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_budget_that_holds_a_node_up_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_budget_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_budget_faults, lambda state: None) == set()


KEEPS_ALL = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: REPLICAS, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: a}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
"""


def test_budget_that_nobody_runs_into_is_worth_knowing_only() -> None:
    told = noticed(find_budget_faults, "a budget allows no disruption, and nobody wants one")
    assert told == {("cluster-budget", "PodDisruptionBudget/shop/web", True)}


@pytest.mark.parametrize(("replicas", "found"), [("2", 1), ("3", 0)])
def test_budget_is_held_against_the_replicas_that_are_written_down(replicas: str, found: int) -> None:
    assert len(read_in(find_budget_faults, KEEPS_ALL.replace("REPLICAS", replicas))) == found


def test_victims_are_the_node_and_who_stays_on_it() -> None:
    (clue,) = clues(find_budget_faults, "a budget keeps a node from being emptied")
    assert {str(ref) for ref in clue.victims} == {"Node/n1", "Deployment/shop/web"}
