"""A restart marks the pod template once, and only where it may; the mark comes off again."""

import pytest

from tasks.act.registry import apply, preflight, undo, verify_undone
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Remedy
from tasks.errors import ConflictError, ForbiddenError, PermanentError
from tests.fakes.kubernetes import FakeApiServer
from tests.unit.act.changing import CART, action_on, cart, context_of

AT = "2026-01-02T00:00:00Z"
MARK = "kubectl.kubernetes.io/restartedAt"


def test_protected_namespace_is_not_restarted() -> None:
    server = FakeApiServer(cart())
    action = action_on(server, Remedy.RESTART_ROLLOUT, at=AT)
    with pytest.raises(ForbiddenError):
        preflight(context_of(server, action, protected_namespaces=("shop",)), action)
    assert server.writes == []


def test_workload_that_was_changed_since_the_plan_is_not_restarted() -> None:
    server = FakeApiServer(cart())
    action = action_on(server, Remedy.RESTART_ROLLOUT, at=AT)
    server.put(cart({"image": "cart:3"}, generation=4))
    with pytest.raises(ConflictError, match="void"):
        preflight(context_of(server, action), action)
    assert server.writes == []


def test_mark_that_is_no_moment_is_refused() -> None:
    server = FakeApiServer(cart())
    action = action_on(server, Remedy.RESTART_ROLLOUT, at="now; rm -rf /")
    with pytest.raises(PermanentError, match="refused"):
        preflight(context_of(server, action), action)
    assert server.writes == []


def test_preflight_restarts_nothing() -> None:
    server = FakeApiServer(cart())
    action = action_on(server, Remedy.RESTART_ROLLOUT, at=AT)
    preflight(context_of(server, action), action)
    assert server.writes == []


def test_restart_is_done_once_and_taken_back() -> None:
    server = FakeApiServer(cart())
    before = server.objects[CART]["spec"]
    action = action_on(server, Remedy.RESTART_ROLLOUT, at=AT)
    context = context_of(server, action)
    image = preflight(context, action)
    result = apply(context, action, image)
    assert server.objects[CART]["spec"]["template"]["metadata"]["annotations"] == {MARK: AT}
    assert apply(context, action, image).status is ActionStatus.ALREADY_APPLIED
    assert not verify_undone(context, result)
    undo(context, action, result)
    assert verify_undone(context, result)
    assert server.objects[CART]["spec"] == before
