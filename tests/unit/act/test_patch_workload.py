"""Single places go back to what an earlier revision of the same workload had, and nothing else can be changed."""

from typing import Any

import pytest

from tasks.act.registry import apply, preflight, undo, verify_undone
from tasks.domain.plan import Remedy
from tasks.errors import ConflictError, ForbiddenError, PermanentError
from tests.fakes.kubernetes import FakeApiServer, Raw
from tests.unit.act.changing import CART, action_on, cart, context_of, revision

PROBE = {"httpGet": {"path": "/healthz", "port": 8080}}
REVISION = {"revision": "cart-1", "revision_uid": "u-1"}
PORT = "/spec/template/spec/containers/0/readinessProbe/httpGet/port"


def server(now: Raw, then: Raw, *, owner: str = "cart") -> FakeApiServer:
    return FakeApiServer(cart(now), revision({"name": "app", "image": "cart:1", **then}, owner=owner))


def heal(api: FakeApiServer, **parameters: Any) -> Raw:
    action = action_on(api, Remedy.PATCH_WORKLOAD, **parameters)
    context = context_of(api, action)
    apply(context, action, preflight(context, action))
    found: Raw = api.objects[CART]["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize(
    "place",
    [
        {"container": "app", "field": "securityContext"},
        {"container": "app", "field": "resources"},
        {"container": "other", "field": "image"},
        {"container": "app", "field": "readinessProbe"},
    ],
    ids=["security", "resources", "no-such-container", "probe-that-was-not-there"],
)
def test_what_is_not_for_it_is_refused(place: Raw) -> None:
    api = server({"readinessProbe": PROBE}, {})
    with pytest.raises(PermanentError):
        heal(api, **REVISION, places=[place])
    assert api.writes == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/spec/template/spec/containers/0/image", "mallory/cart"),
        ("/spec/replicas", 0),
        (PORT, {"a": 1}),
    ],
)
def test_only_ports_of_probes_can_be_named(path: str, value: object) -> None:
    api = server({"readinessProbe": PROBE}, {})
    with pytest.raises(PermanentError):
        heal(api, operations=[{"path": path, "value": value}])
    assert api.writes == []


def test_places_without_their_revision_are_refused() -> None:
    api = server({}, {})
    with pytest.raises(PermanentError, match="places with their revision"):
        heal(api, places=[{"container": "app", "field": "image"}])
    assert api.writes == []


def test_revision_of_another_workload_is_refused() -> None:
    api = server({}, {}, owner="mailer")
    with pytest.raises(PermanentError, match="not a revision"):
        heal(api, **REVISION, places=[{"container": "app", "field": "image"}])
    assert api.writes == []


def test_revision_that_is_gone_voids_the_plan() -> None:
    api = FakeApiServer(cart())
    with pytest.raises(ConflictError, match="gone"):
        heal(api, **REVISION, places=[{"container": "app", "field": "image"}])
    assert api.writes == []


def test_protected_namespace_is_not_changed() -> None:
    api = server({}, {})
    action = action_on(api, Remedy.PATCH_WORKLOAD, **REVISION, places=[{"container": "app", "field": "image"}])
    with pytest.raises(ForbiddenError):
        preflight(context_of(api, action, protected_namespaces=("shop",)), action)
    assert api.writes == []


def test_lost_variable_comes_back_and_the_others_stay() -> None:
    lost, new = {"name": "REGION", "value": "eu"}, {"name": "NEW", "value": "1"}
    api = server({"env": [new]}, {"env": [lost, {"name": "OLD", "value": "2"}]})
    found = heal(api, **REVISION, places=[{"container": "app", "field": "env", "entries": ["REGION"]}])
    assert found["env"] == [new, lost]
    assert found["image"] == "cart:2", "the image of the new revision stays"


def test_probe_asks_the_declared_port() -> None:
    api = server({"readinessProbe": PROBE}, {})
    assert heal(api, operations=[{"path": PORT, "value": 9090}])["readinessProbe"]["httpGet"]["port"] == 9090


def test_change_is_taken_back() -> None:
    api = server({"command": ["serve"], "args": ["-x"]}, {"command": ["run"]})
    before = api.objects[CART]["spec"]
    places = [{"container": "app", "field": "command"}, {"container": "app", "field": "args"}]
    action = action_on(api, Remedy.PATCH_WORKLOAD, **REVISION, places=places)
    context = context_of(api, action)
    result = apply(context, action, preflight(context, action))
    changed = api.objects[CART]["spec"]["template"]["spec"]["containers"][0]
    assert (changed["command"], changed.get("args")) == (["run"], None)
    assert not verify_undone(context, result)
    undo(context, action, result)
    assert verify_undone(context, result)
    assert api.objects[CART]["spec"] == before


def test_change_by_somebody_else_is_not_undone() -> None:
    api = server({}, {})
    action = action_on(api, Remedy.PATCH_WORKLOAD, **REVISION, places=[{"container": "app", "field": "image"}])
    context = context_of(api, action)
    result = apply(context, action, preflight(context, action))
    api.put(cart({"image": "cart:3"}, generation=9))
    with pytest.raises(ConflictError, match="somebody else"):
        undo(context, action, result)
    assert api.objects[CART]["spec"]["template"]["spec"]["containers"][0]["image"] == "cart:3"
