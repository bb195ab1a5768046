"""Policies that close what is needed, told of the policy; one that closes what nobody needs is none."""

import pytest

from tasks.diagnose.analyzers.cluster.network import find_network_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("a policy lets nothing out, so that no name is resolved", "policy-dns", "NetworkPolicy/shop/who"),
    ("a policy lets nobody in", "policy-peer", "NetworkPolicy/shop/who"),
    ("a policy keeps in who asks outside", "policy-out", "NetworkPolicy/shop/few-out"),
    ("a policy keeps in who does not say whom it asked", "policy-out", "NetworkPolicy/shop/few-out"),
    ("a policy lets names go to the wrong namespace", "policy-dns", "NetworkPolicy/shop/few-out"),
    ("the resolver of the cluster is down", "dns-down", "Deployment/kube-system/coredns"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_policy_that_closes_what_is_needed_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_network_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_network_faults, lambda state: None) == set()


def test_ports_are_let_through_as_a_range() -> None:
    def plant(state: State) -> None:
        state.workload("db", {"ports": [{"containerPort": 5432}]})
        state.service("db", port=5432)
        state.workload("api", {"env": [{"name": "DB", "value": "db:5432"}]})
        rows = [{"ports": [{"port": 5000, "endPort": 6000}]}, {"ports": [{"port": 53}]}]
        state.put(
            "NetworkPolicy",
            "few",
            spec={"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Egress"], "egress": rows},
        )
        state.crash("api", "dial tcp db:5432: i/o timeout")

    assert noticed(find_network_faults, plant) == set()


def test_pod_that_answers_for_names_speaks_for_the_resolver() -> None:
    assert noticed(find_network_faults, "the resolver begins anew while another pod answers for it") == set()


def test_policy_is_quoted_beside_the_log_of_its_victim() -> None:
    (clue,) = clues(find_network_faults, "a policy keeps in who asks outside")
    assert [quote.source.partition(":")[0] for quote in clue.quotes] == ["spec", "log"]
