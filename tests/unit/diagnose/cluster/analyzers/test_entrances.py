"""Ways in that lead nowhere, and webhooks that nobody answers."""

import pytest

from tasks.diagnose.analyzers.cluster.entrances import find_entrance_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("an ingress class that does not exist", "ingress-class", "Ingress/shop/front"),
    ("an ingress sends to a service that does not exist", "ingress-service", "Service/shop/checkout"),
    ("an ingress sends to a port that its service does not have", "ingress-port", "Ingress/shop/front"),
    ("the certificate of an ingress does not exist", "ingress-tls", "Secret/shop/shop-tls"),
    ("a gateway of a class that does not exist", "gateway-class", "Gateway/shop/edge"),
    ("a route to a port that the service does not have", "route-port", "HTTPRoute/shop/shop"),
    ("a validating webhook calls a service that does not exist", "webhook-service", "ValidatingWebhookConfiguration/check"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_entrance_that_leads_nowhere_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_entrance_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_entrance_faults, lambda state: None) == set()


def test_webhook_that_may_be_ignored_holds_nothing_up() -> None:
    def plant(state: State) -> None:
        client = {"service": {"name": "gone", "namespace": "shop"}}
        rows = [{"name": "check.acme.io", "clientConfig": client, "failurePolicy": "Ignore"}]
        state.put("ValidatingWebhookConfiguration", "check", namespace="", webhooks=rows)

    assert {told[2] for told in noticed(find_entrance_faults, plant)} == {True}


def test_class_that_was_meant_is_told() -> None:
    (clue,) = clues(find_entrance_faults, "an ingress class that does not exist")
    assert "meant: 'nginx'" in clue.cause
