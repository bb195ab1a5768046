"""`propose_remedy` opens an incident with a known remedy, and touches nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.domain.incident import IncidentStatus
from tasks.plan.cluster import BOUNDED_DRAFTERS, CLUSTER_DRAFTERS
from tests.unit.mcp_door.shop import Shop, opened

CART = {"namespace": "shop", "kind": "Deployment", "name": "cart"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(tmp_path) as one:
        yield one


def test_proposal_waits_as_an_incident_and_changes_nothing(shop: Shop) -> None:
    told, failed = shop.ask("propose_remedy", **CART, reason="the shop is down; token=ghp_0123456789abcdefghijABCDEF")
    assert not failed, told
    (stored,) = shop.ledger.incidents.newest()
    assert f"incident: {stored.incident.id}" in told
    assert "roll_back_rollout" in told
    assert stored.incident.status is IncidentStatus.OPEN
    assert stored.incident.signal.cluster is not None
    assert stored.flow_run_id is None
    assert {method for method, _ in shop.fake.requests} == {"GET"}
    journal = " ".join(entry.document for entry in shop.ledger.incidents.journal(stored.incident.id))
    assert "the shop is down" in journal
    assert "ghp_" not in journal
    assert stored.incident.id in shop.ask("incidents_list", in_flight=True)[0]
    assert "cart" in shop.ask("incidents_show", incident_id=stored.incident.id)[0]
    assert "not diagnosed yet" in shop.ask("incidents_similar", incident_id=stored.incident.id)[0]


def test_second_proposal_finds_the_incident_in_flight(shop: Shop) -> None:
    shop.ask("propose_remedy", **CART)
    assert not shop.ask("propose_remedy", **CART, remedy="roll_back_rollout")[1]
    assert len(shop.ledger.incidents.newest()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "Deployment", "name": "absent"}, "nothing wrong was found"),
        ({"kind": "ConfigMap", "name": "prices"}, "nothing wrong was found"),
        ({"kind": "Deployment", "name": "cart", "remedy": "patch_service"}, "what fits is roll_back_rollout"),
        ({"kind": "Deployment", "name": "cart", "remedy": "kubectl delete ns shop"}, "validation error"),
        ({"kind": "Deployment", "name": "cart", "command": "rm -rf /"}, "never run"),
        ({"kind": "Deployment", "name": "cart", "parameters": {"image": "evil"}}, "takes no argument"),
        ({"kind": "Deployment", "name": "cart", "namespace": "kube-system"}, "may not be read"),
    ],
)
def test_what_no_drafter_would_do_is_refused_and_opens_nothing(
    shop: Shop, arguments: dict[str, Any], said: str
) -> None:
    told, failed = shop.ask("propose_remedy", **{"namespace": "shop", **arguments})
    assert failed
    assert said in told
    assert shop.ledger.incidents.newest() == ()


def test_no_remedy_is_said_when_none_fits(shop: Shop) -> None:
    for item in shop.fake.objects:
        if item["metadata"]["name"] == "cart-1":
            item["status"] = {"replicas": 0}
    told, failed = shop.ask("propose_remedy", **CART)
    assert failed
    assert "no known remedy fits" in told
    assert shop.ledger.incidents.newest() == ()


def test_incident_of_another_namespace_is_not_told(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        shop.ask("propose_remedy", **CART)
        (stored,) = shop.ledger.incidents.newest()
    with opened(tmp_path, namespaces=("bank",)) as shop:
        assert shop.ask("incidents_list")[0] == "no incidents"
        assert shop.ask("incidents_show", incident_id=stored.incident.id)[1]
        assert shop.ask("incidents_similar", incident_id=stored.incident.id)[1]


def test_remedies_to_choose_from_are_those_with_a_drafter(shop: Shop) -> None:
    tool = next(one for one in shop.tools() if one.name == "propose_remedy")
    (choice, _none) = tool.input_schema["properties"]["remedy"]["anyOf"]
    assert set(choice["enum"]) == {*CLUSTER_DRAFTERS, *BOUNDED_DRAFTERS}
