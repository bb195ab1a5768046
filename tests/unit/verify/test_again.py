"""What was called well again is looked at with what owns it, and is not well just because it runs at this moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.cluster_cause import ClusterTriage
from tasks.domain.incident import ClusterTarget
from tasks.verify.again import Seen, look_again
from tests.unit.verify.test_cluster import CART, deployment, state, triaged

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLACE = ClusterTarget(namespace="shop", kind="Deployment", name="cart")
POD = "cart-7b9d5c4f6-xw2zt"


def pod(name: str = POD, *, ended_minutes_ago: float | None = None, **status: Any) -> KubeObject:
    owner = {"kind": "Deployment", "name": "cart", "controller": True}
    row: dict[str, Any] = {"restartCount": 0}
    if ended_minutes_ago is not None:
        at = (NOW - timedelta(minutes=ended_minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = {"restartCount": 1, "lastState": {"terminated": {"finishedAt": at}}}
    ready = [{"type": "Ready", "status": "True"}]
    told = {"phase": "Running", "conditions": ready, "containerStatuses": [row], **status}
    metadata = {"namespace": "shop", "name": name, "ownerReferences": [owner]}
    return KubeObject(raw={"kind": "Pod", "metadata": metadata, "status": told})


def failing(*objects: KubeObject, place: ClusterTarget = PLACE, found: ClusterTriage | None = None) -> dict[str, str]:
    seen = look_again(ClusterSnapshot(objects=objects), [place], found, now=NOW)
    return {str(one.ref): one.detail for one in seen.failing}


def of_pod(name: str = POD) -> ClusterTarget:
    return ClusterTarget(namespace="shop", kind="Pod", name=name)


def test_pod_that_is_gone_is_not_well_while_its_workload_fails() -> None:
    assert failing(deployment("cart", 0), place=of_pod()) == {"Deployment/shop/cart": "0 of 1 pods are ready"}
    assert failing(deployment("cart", 1), place=of_pod()) == {}


def test_pod_that_is_gone_with_all_that_made_it_is_well() -> None:
    seen = look_again(ClusterSnapshot(objects=(deployment("mailer", 0),)), [of_pod()], None, now=NOW)
    assert [(one.healthy, one.detail) for one in (*seen.failing, *seen.well)] == [(True, "it is gone")]


def test_pod_that_was_left_behind_is_not_what_its_workload_is() -> None:
    evicted = pod(phase="Failed", reason="Evicted", conditions=[])
    assert failing(deployment("cart", 1), evicted, place=of_pod()) == {}
    assert failing(deployment("cart", 0), evicted, place=of_pod()) == {"Deployment/shop/cart": "0 of 1 pods are ready"}


def test_what_runs_between_two_crashes_is_not_well() -> None:
    told = failing(deployment("cart", 1), pod(ended_minutes_ago=2))
    assert told == {"Deployment/shop/cart": "it was restarted, and has to run until 12:08"}
    assert set(failing(deployment("cart", 1), pod(ended_minutes_ago=2), place=of_pod())) == {
        "Deployment/shop/cart",
        f"Pod/shop/{POD}",
    }


def test_restart_is_forgiven_when_kubernetes_forgives_it() -> None:
    assert failing(deployment("cart", 1), pod(ended_minutes_ago=10)) == {}


def test_what_failed_again_and_again_when_it_was_diagnosed_is_not_well_while_it_runs_as_before() -> None:
    seen = look_again(state(restarts=2), [PLACE], triaged(2), now=NOW)
    assert [one.ref for one in seen.failing] == [CART]
    assert look_again(state(restarts=0), [PLACE], triaged(2), now=NOW).failing == ()


def test_service_with_endpoints_is_not_well_while_the_workload_that_has_to_change_fails() -> None:
    service = KubeObject(raw={"kind": "Service", "metadata": {"namespace": "shop", "name": "cart"}, "spec": {}})
    place = ClusterTarget(namespace="shop", kind="Service", name="cart")
    assert failing(service, deployment("cart", 0), place=place) == {}
    assert set(failing(service, deployment("cart", 0), place=place, found=triaged(0))) == {"Deployment/shop/cart"}


@pytest.mark.parametrize(
    "place",
    [
        ClusterTarget(namespace="shop", kind="HelmRelease", name="cart"),
        ClusterTarget(namespace="shop", kind="Ingress", name="front"),
        ClusterTarget(kind="Node", name="10.0.0.5", node="10.0.0.5"),
    ],
    ids=lambda one: one.kind,
)
def test_what_cannot_be_looked_at_by_its_name_is_neither_well_nor_failing(place: ClusterTarget) -> None:
    assert look_again(state(cart=0), [place], None, now=NOW) == Seen()


def test_namespace_is_well_when_all_in_it_is() -> None:
    space = ClusterTarget(namespace="shop")
    assert set(failing(deployment("cart", 1), deployment("mailer", 0), place=space)) == {"Deployment/shop/mailer"}
