"""Replicas go up within bounds, never down, and never where an autoscaler decides."""

from typing import Any

import pytest

from tasks.act.registry import apply, preflight, undo, verify_undone
from tasks.domain.plan import Remedy
from tasks.errors import ForbiddenError, PermanentError
from tests.fakes.kubernetes import FakeApiServer, Raw
from tests.unit.act.changing import CART, action_on, cart, context_of

SCALER: Raw = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"namespace": "shop", "name": "cart", "uid": "h"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}, "maxReplicas": 3},
}


def scale(api: FakeApiServer, replicas: int, **settings: Any) -> Any:
    action = action_on(api, Remedy.SCALE_WORKLOAD, replicas=str(replicas))
    context = context_of(api, action, **settings)
    apply(context, action, preflight(context, action))
    return api.objects[CART]["spec"]["replicas"]


@pytest.mark.parametrize(("now", "then"), [(2, 5), (2, 1), (0, 11), (2, 0)], ids=["factor", "down", "cap", "zero"])
def test_replicas_out_of_bounds_are_refused(now: int, then: int) -> None:
    api = FakeApiServer(cart(replicas=now))
    with pytest.raises(PermanentError):
        scale(api, then)
    assert api.writes == []


def test_what_an_autoscaler_scales_is_left_to_it() -> None:
    api = FakeApiServer(cart(replicas=0), SCALER)
    with pytest.raises(PermanentError, match="autoscaler"):
        scale(api, 2)
    assert api.writes == []


def test_protected_namespace_is_not_scaled() -> None:
    api = FakeApiServer(cart(replicas=0))
    with pytest.raises(ForbiddenError):
        scale(api, 1, protected_namespaces=("shop",))
    assert api.writes == []


def test_workload_is_scaled_up_and_taken_back() -> None:
    api = FakeApiServer(cart(replicas=0))
    action = action_on(api, Remedy.SCALE_WORKLOAD, replicas="3")
    context = context_of(api, action)
    result = apply(context, action, preflight(context, action))
    assert api.objects[CART]["spec"]["replicas"] == 3
    undo(context, action, result)
    assert verify_undone(context, result)
    assert api.objects[CART]["spec"]["replicas"] == 0
