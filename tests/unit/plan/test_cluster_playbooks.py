"""Every class of a cluster has advice, and every remedy in its row has a drafter."""

import pytest

from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import CLUSTER_REMEDIES
from tasks.plan.cluster import BOUNDED_DRAFTERS, CLUSTER_DRAFTERS, CLUSTER_PLAYBOOKS
from tasks.plan.playbooks import ADVICE


@pytest.mark.parametrize("found", [found for found in FailureClass if found.startswith(("k8s.", "dep."))])
def test_class_of_a_cluster_has_advice(found: FailureClass) -> None:
    assert ADVICE.get(found)


def test_no_remedy_has_two_drafters_and_each_has_one() -> None:
    assert not CLUSTER_DRAFTERS.keys() & BOUNDED_DRAFTERS.keys()
    assert {*CLUSTER_DRAFTERS, *BOUNDED_DRAFTERS} == CLUSTER_REMEDIES
    assert {remedy for row in CLUSTER_PLAYBOOKS.values() for remedy in row} <= CLUSTER_REMEDIES
