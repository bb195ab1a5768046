"""Sizes change within bounds only, and only where one was set."""

from typing import Any

import pytest

from tasks.act.registry import apply, preflight, undo, verify_undone
from tasks.domain.plan import Remedy
from tasks.errors import ForbiddenError, PermanentError
from tests.fakes.kubernetes import FakeApiServer, Raw
from tests.unit.act.changing import CART, action_on, cart, context_of

RESOURCES = "/spec/template/spec/containers/0/resources"
SIZED = {"resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi", "cpu": "2"}}}


def size(api: FakeApiServer, path: str, value: str, **settings: Any) -> Raw:
    action = action_on(api, Remedy.SIZE_RESOURCES, operations=[{"path": path, "value": value}])
    context = context_of(api, action, **settings)
    apply(context, action, preflight(context, action))
    found: Raw = api.objects[CART]["spec"]["template"]["spec"]["containers"][0]["resources"]
    return found


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (f"{RESOURCES}/limits/memory", "129Mi", "times"),
        (f"{RESOURCES}/requests/cpu", "2100m", "only ever lowered"),
        (f"{RESOURCES}/limits/cpu", "1", "does not change"),
        ("/spec/template/spec/containers/0/securityContext", "x", "does not change"),
        (f"{RESOURCES}/limits/memory", "plenty", "only a size"),
        (f"{RESOURCES}/limits/memory", "0", "only a size"),
    ],
)
def test_size_out_of_bounds_is_refused(path: str, value: str, why: str) -> None:
    api = FakeApiServer(cart(SIZED))
    with pytest.raises(PermanentError, match=why):
        size(api, path, value)
    assert api.writes == []


def test_cap_holds_below_the_factor() -> None:
    api = FakeApiServer(cart(SIZED))
    with pytest.raises(PermanentError, match="may have"):
        size(api, f"{RESOURCES}/limits/memory", "120Mi", bounds={"max_memory_mib": 100})
    assert api.writes == []


def test_limit_that_was_not_set_is_not_made() -> None:
    api = FakeApiServer(cart())
    with pytest.raises(PermanentError, match="only a size that is set"):
        size(api, f"{RESOURCES}/limits/memory", "64Mi")
    assert api.writes == []


@pytest.mark.parametrize("kind", ["ResourceQuota", "LimitRange"])
def test_quota_is_never_changed(kind: str) -> None:
    api = FakeApiServer(cart(SIZED))
    action = action_on(api, Remedy.SIZE_RESOURCES, operations=[{"path": "/spec/hard/memory", "value": "9Gi"}])
    action = action.model_copy(update={"parameters": {**action.parameters, "kind": kind}})
    with pytest.raises(PermanentError, match="is not for a"):
        preflight(context_of(api, action), action)
    assert api.writes == []


def test_protected_namespace_is_not_sized() -> None:
    api = FakeApiServer(cart(SIZED))
    with pytest.raises(ForbiddenError):
        size(api, f"{RESOURCES}/limits/memory", "96Mi", protected_namespaces=("shop",))
    assert api.writes == []


def test_size_is_changed_and_taken_back() -> None:
    api = FakeApiServer(cart(SIZED))
    before = api.objects[CART]["spec"]
    operations = [{"path": f"{RESOURCES}/limits/memory", "value": "96Mi"}]
    action = action_on(api, Remedy.SIZE_RESOURCES, operations=operations)
    context = context_of(api, action)
    result = apply(context, action, preflight(context, action))
    assert api.objects[CART]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"memory": "96Mi"}
    assert not verify_undone(context, result)
    undo(context, action, result)
    assert verify_undone(context, result)
    assert api.objects[CART]["spec"] == before
