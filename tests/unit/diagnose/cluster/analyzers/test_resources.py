"""Custom resources that say themselves that something is wrong."""

import pytest

from tasks.diagnose.analyzers.cluster.resources import find_resource_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a certificate is not ready", "resource", "Certificate/shop/tls"),
    ("a release failed", "resource", "HelmRelease/shop/it"),
    ("an application is out of sync and not healthy", "resource", "Application/shop/web"),
    ("someone else owns a field", "resource", "Kustomization/shop/it"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_resource_that_says_so_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_resource_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_resource_faults, lambda state: None) == set()


def test_release_that_was_followed_by_a_good_one_is_worth_knowing_only() -> None:
    assert {told[2] for told in noticed(find_resource_faults, "an earlier release had failed")} == {True}


def test_what_it_says_is_quoted() -> None:
    assert "the ACME order failed" in clues(find_resource_faults, "a certificate is not ready")[0].quotes[0].text


def test_condition_that_nobody_knows_is_no_fault() -> None:
    def plant(state: State) -> None:
        row = {"type": "Shiny", "status": "False", "reason": "Dull", "message": "no"}
        state.put("Widget", "it", apiVersion="acme.io/v1", spec={}, status={"conditions": [row]})

    assert noticed(find_resource_faults, plant) == set()
