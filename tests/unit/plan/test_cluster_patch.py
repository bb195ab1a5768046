"""A patch gives back only what the diagnosis blames, and only from where the right value can be seen."""

import json
from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Remedy
from tests.unit.plan.clusters import Raw, deployment, only_action, operations_of, plan, replica_set, snapshot, template

LIVE = {"httpGet": {"port": 8080}}


def rolled(now: Raw, then: Raw, *, ready: int = 1) -> ClusterSnapshot:
    newest, earlier = template(now), template(then)
    return snapshot(
        deployment(newest, revision=2),
        replica_set(newest, revision=2, ready=0),
        replica_set(earlier, revision=1, ready=ready),
    )


def first(container: Raw, *others: Raw) -> ClusterSnapshot:
    return snapshot(deployment(template(container, *others)), replica_set(template(container), revision=1, ready=0))


def places_of(drafted: Any) -> Any:
    return json.loads(only_action(drafted).parameters["places"])


def service(port: object, *, name: str = "cart") -> Raw:
    spec = {"selector": {"app": "cart"}, "ports": [{"port": 80, "targetPort": port}]}
    return {"kind": "Service", "metadata": {"namespace": "shop", "name": name, "uid": "s"}, "spec": spec}


def test_where_nothing_else_differs_the_whole_revision_goes_back() -> None:
    drafted = plan(F.K8S_IMAGE_NOTFOUND, rolled({"image": "cart:typo"}, {"image": "cart:1"}))
    assert only_action(drafted).name == Remedy.ROLL_BACK_ROLLOUT


def test_what_is_blamed_and_did_not_change_is_not_patched() -> None:
    drafted = plan(F.K8S_CRASH_CMD, rolled({"image": "cart:2"}, {"image": "cart:1"}))
    assert only_action(drafted).name == Remedy.ROLL_BACK_ROLLOUT
    assert "patch workload: what is blamed does not differ" in drafted.rationale


def test_image_without_an_earlier_one_is_not_invented() -> None:
    drafted = plan(F.K8S_IMAGE_NOTFOUND, rolled({"image": "cart:typo", "args": ["x"]}, {"image": "cart:1"}, ready=0))
    assert only_action(drafted).name == Remedy.REPORT_ONLY


def test_probe_is_not_taken_away_by_a_patch() -> None:
    state = rolled({"readinessProbe": LIVE, "args": ["x"]}, {"args": ["y"]})
    drafted = plan(F.K8S_PROBE_READY, state)
    assert only_action(drafted).name == Remedy.ROLL_BACK_ROLLOUT
    assert "a probe is not taken away" in drafted.rationale


def test_variable_that_nobody_names_is_not_touched() -> None:
    state = rolled({"env": [{"name": "A", "value": "2"}], "args": ["x"]}, {"env": [{"name": "A", "value": "1"}]})
    assert only_action(plan(F.K8S_CRASH_ENV, state, said="REGION is not set")).name == Remedy.ROLL_BACK_ROLLOUT


def test_only_the_variable_that_is_named_comes_back() -> None:
    lost = [{"name": "REGION", "value": "eu"}, {"name": "OTHER", "value": "1"}]
    drafted = plan(F.K8S_CRASH_ENV, rolled({"image": "cart:2"}, {"env": lost}), said="container app: REGION is not set")
    assert only_action(drafted).name == Remedy.PATCH_WORKLOAD
    assert places_of(drafted) == [{"container": "app", "field": "env", "entries": ["REGION"]}]
    assert "cart:1" not in only_action(drafted).preview, "the image is no part of the change"


@pytest.mark.parametrize(
    ("found", "now", "then", "field"),
    [
        (F.K8S_IMAGE_NOTFOUND, {"image": "cart:typo", "args": ["new"]}, {"image": "cart:1"}, "image"),
        (F.K8S_CRASH_CMD, {"image": "cart:2", "command": ["srve"]}, {"command": ["serve"]}, "command"),
        (
            F.K8S_PROBE_READY,
            {"image": "cart:2", "readinessProbe": {"exec": {}}},
            {"readinessProbe": LIVE},
            "readinessProbe",
        ),
        (
            F.K8S_CRASH_LIVENESS,
            {"image": "cart:2", "livenessProbe": {"exec": {}}},
            {"livenessProbe": LIVE},
            "livenessProbe",
        ),
    ],
)
def test_the_blamed_field_comes_back_alone(found: F, now: Raw, then: Raw, field: str) -> None:
    assert places_of(plan(found, rolled(now, then))) == [{"container": "app", "field": field, "entries": []}]


def test_reference_to_what_is_missing_comes_back() -> None:
    here = [{"name": "P", "valueFrom": {"configMapKeyRef": {"name": "price", "key": "p"}}}]
    there = [{"name": "P", "valueFrom": {"configMapKeyRef": {"name": "prices", "key": "p"}}}]
    state = rolled({"image": "cart:2", "env": here}, {"env": there})
    drafted = plan(F.K8S_MOUNT, state, target="ConfigMap/price", victims=("Deployment/cart",))
    assert places_of(drafted) == [{"container": "app", "field": "env", "entries": ["P"]}]


@pytest.mark.parametrize(
    "ports", [[], [{"containerPort": 8080}], [{"containerPort": 80}, {"containerPort": 81}]], ids=str
)
def test_port_that_is_not_the_only_one_is_no_answer(ports: list[Raw]) -> None:
    drafted = plan(F.K8S_PROBE_READY, first({"readinessProbe": LIVE, "ports": ports}))
    assert only_action(drafted).name == Remedy.REPORT_ONLY


def test_probe_is_led_to_the_only_declared_port() -> None:
    drafted = plan(F.K8S_PROBE_READY, first({"readinessProbe": LIVE, "ports": [{"containerPort": 9090}]}))
    path = "/spec/template/spec/containers/0/readinessProbe/httpGet/port"
    assert operations_of(drafted) == [{"path": path, "value": 9090}]


def test_probe_is_led_to_where_the_service_leads() -> None:
    state = first({"readinessProbe": LIVE})
    drafted = plan(F.K8S_PROBE_READY, snapshot(*(dict(item.raw) for item in state.objects), service(9090)))
    assert operations_of(drafted)[0]["value"] == 9090


@pytest.mark.parametrize("ports", [[], [{"containerPort": 80}, {"containerPort": 81}]], ids=str)
def test_service_is_not_led_to_a_port_that_is_guessed(ports: list[Raw]) -> None:
    state = snapshot(deployment(template({"ports": ports})), service(9999))
    assert only_action(plan(F.K8S_SVC_PORT, state, target="Service/cart")).name == Remedy.REPORT_ONLY


@pytest.mark.parametrize("wrong", [9999, "htp"])
def test_service_is_led_to_the_only_declared_port(wrong: object) -> None:
    state = snapshot(deployment(template({"ports": [{"containerPort": 8080, "name": "http"}]})), service(wrong))
    drafted = plan(F.K8S_SVC_PORT, state, target="Service/cart")
    assert only_action(drafted).name == Remedy.PATCH_SERVICE
    assert operations_of(drafted) == [{"path": "/spec/ports/0/targetPort", "value": 8080}]
