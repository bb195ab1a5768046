"""Bindings that name nothing, and roles that allow everything."""

import pytest

from tasks.diagnose.analyzers.cluster.access import find_access_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a binding grants a role that does not exist", "role-missing", "RoleBinding/shop/reader"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_binding_that_names_nothing_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_access_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_access_faults, lambda state: None) == set()


def test_role_that_allows_everything_is_worth_knowing_only() -> None:
    assert ("cluster-wildcard", "Role/shop/all", True) in noticed(find_access_faults, "a role allows everything")


def test_binding_of_a_role_that_the_cluster_brings_along_is_well() -> None:
    def plant(state: State) -> None:
        state.put(
            "ClusterRole", "view", namespace="", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        )
        state.put("ServiceAccount", "bot")
        bound = {
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "shop"}],
        }
        state.put("RoleBinding", "bot", **bound)

    assert noticed(find_access_faults, plant) == set()


def test_binding_is_quoted_with_what_it_names() -> None:
    (clue,) = clues(find_access_faults, "a binding grants a role that does not exist")
    assert clue.quotes[0].source == "spec:RoleBinding/shop/reader"
