"""Pods that go on with a configuration that was changed since; a cause where the program complains of it."""

import pytest

from tasks.diagnose.analyzers.cluster.outdated import find_outdated
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a program complains with the configuration it was started with", "outdated", "Deployment/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_program_that_complains_of_what_was_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_outdated, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_outdated, lambda state: None) == set()


def test_program_that_does_not_complain_is_worth_knowing_only() -> None:
    assert noticed(find_outdated, "pods still run with the ConfigMap as it was") == {
        ("cluster-outdated", "Deployment/shop/web", True)
    }


def test_configuration_that_is_older_than_the_pods_is_theirs() -> None:
    def plant(state: State) -> None:
        state.put(
            "ConfigMap", "prices", data={"a": "1"}, metadata={"managedFields": [{"time": "2020-01-01T00:00:00Z"}]}
        )
        state.workload("web", {"envFrom": [{"configMapRef": {"name": "prices"}}]})

    assert noticed(find_outdated, plant) == set()


def test_both_times_are_quoted() -> None:
    assert len(clues(find_outdated, "pods still run with the ConfigMap as it was")[0].quotes) == 2
