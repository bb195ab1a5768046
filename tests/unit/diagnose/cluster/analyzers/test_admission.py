"""Pods that the API server refuses: the quota that is used up, and else who asks for what is not allowed."""

import pytest

from tasks.diagnose.analyzers.cluster.admission import find_refused
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("the quota is used up", "refused-quota", "ResourceQuota/shop/team"),
    ("a limit range refuses it", "refused-limits", "Deployment/shop/web"),
    ("a webhook refuses it", "refused-webhook", "Deployment/shop/web"),
    ("pod security refuses it", "refused-security", "Deployment/shop/web"),
    ("its account does not exist", "refused-account", "ServiceAccount/shop/bot"),
    ("a priority class does not exist", "refused-class", "PriorityClass/high"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_refused_pod_leads_to_who_has_to_change(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_refused, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_refused, lambda state: None) == set()


def test_refusal_is_quoted_as_the_controller_told_it() -> None:
    (clue,) = clues(find_refused, "the quota is used up")[:1]
    assert clue.quotes[0].source.startswith("event:")
    assert "exceeded quota" in clue.quotes[0].text


def test_refusal_of_a_pod_that_was_made_later_is_none() -> None:
    def plant(state: State) -> None:
        maker = state.get("ReplicaSet", "web-5d4f8c7b9")
        state.tell(
            maker, "FailedCreate", 'pods "web-" is forbidden: exceeded quota: team, requested: pods=1', minutes=9
        )
        state.tell(maker, "SuccessfulCreate", "Created pod: web-5d4f8c7b9-abc0x", minutes=1, kind="Normal")

    assert noticed(find_refused, plant) == set()
