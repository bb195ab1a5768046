"""Services without an end: the Service is named where its labels or ports are wrong, and what stands behind it where that is down."""

import pytest

from tasks.diagnose.analyzers.cluster.services import find_dead_services
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("no pod has the labels of a service", "selector", "Service/shop/web"),
    ("a service sends to a port that no container names", "target-port", "Service/shop/web"),
    ("a service sends to the name of a port, and no pod names any", "target-port", "Service/shop/db"),
    ("what an entrance needs is scaled to zero", "scaled-to-zero", "Deployment/shop/web"),
    ("something is said about a service", "service-event", "Service/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_service_without_an_end_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_dead_services, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_dead_services, lambda state: None) == set()


def test_port_beside_that_of_the_command_is_worth_knowing_only_while_nobody_is_refused() -> None:
    told = noticed(find_dead_services, "a port beside the one that the command tells, and nobody is refused")
    assert told == {("cluster-told-port", "Service/shop/db", True)}


def test_number_that_nobody_declares_may_be_right() -> None:
    def plant(state: State) -> None:
        state.workload("web", {"ports": []})
        state.service("web", target=8443)

    assert noticed(find_dead_services, plant) == set()


def test_pods_that_were_meant_are_quoted_beside_the_service() -> None:
    (clue,) = clues(find_dead_services, "no pod has the labels of a service")
    assert clue.quotes[0].source == "spec:Service/shop/web"
    assert len(clue.quotes) == 2
