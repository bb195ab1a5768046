"""What was changed is said in plain words; a value that may be a secret is not."""

from typing import Any

import pytest

from tasks.act.registry import apply, preflight
from tasks.act.telling import tell_changes
from tasks.domain.cluster import KubeObject
from tasks.domain.plan import Remedy
from tests.fakes.kubernetes import FakeApiServer, Raw
from tests.unit.act.changing import action_on, cart, context_of, revision


def told(before: Raw, after: Raw) -> str:
    return tell_changes(KubeObject(raw=cart(before)), KubeObject(raw=cart(after)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"image": "cart:2"}, {"image": "cart:1"}, "image of app from cart:2 to cart:1"),
        (
            {"resources": {"limits": {"memory": "44Mi"}}},
            {"resources": {"limits": {"memory": "66Mi"}}},
            "memory limit of app from 44Mi to 66Mi",
        ),
        (
            {"readinessProbe": {"httpGet": {"port": 81, "path": "/"}}},
            {"readinessProbe": {"httpGet": {"port": 80, "path": "/"}}},
            "readinessProbe.httpGet.port of app from 81 to 80",
        ),
        ({"livenessProbe": {"exec": {}}}, {}, "livenessProbe of app taken out"),
        ({}, {"workingDir": "/srv"}, "workingDir of app added"),
    ],
)
def test_change_is_told_from_what_to_what(before: Raw, after: Raw, said: str) -> None:
    assert told(before, after) == said


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"env": [{"name": "KEY", "value": "hunter2"}]}, {"env": [{"name": "KEY", "value": "hunter3"}]}),
        ({"env": [{"name": "KEY", "value": "hunter2"}]}, {}),
        ({}, {"env": [{"name": "KEY", "value": "hunter2"}]}),
        ({"command": ["app", "--password=hunter2"]}, {"command": ["app", "--password=hunter3"]}),
        ({"args": ["hunter2"]}, {"args": ["a", "b"]}),
    ],
)
def test_values_of_variables_and_commands_are_not_told(before: Raw, after: Raw) -> None:
    assert "hunter" not in told(before, after)
    assert "of app" in told(before, after)


def test_many_changes_are_counted() -> None:
    sides: list[Raw] = [
        {"image": f"cart:{number}", "env": [{"name": f"V{row}", "value": str(number)} for row in range(5)]}
        for number in (2, 1)
    ]
    assert told(*sides).endswith(", 3 more places")


def test_annotation_alone_is_nothing_to_tell() -> None:
    before, after = cart(), cart()
    after["spec"]["template"]["metadata"]["annotations"] = {"restartedAt": "now"}
    assert tell_changes(KubeObject(raw=before), KubeObject(raw=after)) == ""


def message(api: FakeApiServer, remedy: Remedy, **parameters: Any) -> str:
    action = action_on(api, remedy, **parameters)
    context = context_of(api, action)
    return apply(context, action, preflight(context, action)).message


def test_result_of_a_roll_back_tells_what_it_brought_back() -> None:
    api = FakeApiServer(cart({"image": "cart:typo"}), revision({"name": "app", "image": "cart:1"}))
    said = message(api, Remedy.ROLL_BACK_ROLLOUT, revision="cart-1", revision_uid="u-1")
    assert said == "Deployment/shop/cart was rolled back (image of app from cart:typo to cart:1)"


def test_result_of_a_restart_tells_no_mark() -> None:
    said = message(FakeApiServer(cart()), Remedy.RESTART_ROLLOUT, at="2026-01-02T00:00:00Z")
    assert said == "Deployment/shop/cart was restarted"
