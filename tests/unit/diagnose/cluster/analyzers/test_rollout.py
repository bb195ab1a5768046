"""Workloads that do not become what they should be: a symptom, where others know why."""

import pytest

from tasks.diagnose.analyzers.cluster.rollout import find_stuck_rollouts
from tasks.domain.cluster_cause import SYMPTOM
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a rollout ran out of time", "rollout", "Deployment/shop/web"),
    ("a deployment has fewer pods than it should", "short", "Deployment/shop/web"),
    ("a set names a service that does not exist", "headless", "Service/shop/db"),
    ("an init container does not come to an end", "init-runs", "Deployment/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_workload_with_less_than_it_should_have_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_stuck_rollouts, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_stuck_rollouts, lambda state: None) == set()


def test_deployment_that_somebody_paused_is_worth_knowing_only() -> None:
    assert ("cluster-paused", "Deployment/shop/web", True) in noticed(find_stuck_rollouts, "a deployment is paused")


def test_shortage_ranks_behind_every_reason_for_it() -> None:
    assert (
        min(clue.rank for clue in clues(find_stuck_rollouts, "a deployment has fewer pods than it should")) >= SYMPTOM
    )


def test_workload_that_wants_no_pods_lacks_none() -> None:
    def plant(state: State) -> None:
        state.workload("web", replicas=0)

    assert noticed(find_stuck_rollouts, plant) == set()
