"""A heal in a cluster that dies at every one of its transactions: the workload is changed once, or not at all."""

from typing import Any

import pytest

from tasks.domain.approval import Answer
from tasks.domain.incident import IncidentStatus
from tests.cluster.shop import Shop
from tests.cluster.test_heal_cluster import IMAGE
from tests.flows.dying import walk
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]


def generation(shop: Shop) -> Any:
    """The API server counts each change of what is wanted."""
    return shop.read().raw["metadata"]["generation"]


def test_workload_is_rolled_back_once_wherever_the_heal_dies(shop: Shop, healing: Healing) -> None:
    good = shop.image()
    shop.change(IMAGE, "busybox:1.36.typo")
    incident, before = shop.open_incident(), generation(shop)
    outcome = walk(healing, incident, lambda: healing.answer(incident, Answer.APPROVE), least=10)
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("roll_back_rollout",)
    assert (shop.image(), generation(shop)) == (good, before + 1)
    assert len(healing.ledger.approvals.of_incident(incident.id)) == 1


def test_change_that_cannot_be_proven_is_made_and_taken_back_once_wherever_the_heal_dies(
    shop: Shop, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    incident, before = shop.open_incident(), generation(shop)
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "10")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "60")  # more than it is given
    outcome = walk(healing, incident, lambda: healing.answer(incident, Answer.APPROVE), least=10)
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    assert (shop.image(), generation(shop)) == ("busybox:1.36.typo", before + 2)
