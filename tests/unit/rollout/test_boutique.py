"""The manifests of Online Boutique: what they must never be, and that all of it is there."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.kustomize import render
from tasks.rollout.images import split_image

SHOP = Path(__file__).parents[3] / "k8s" / "online-boutique"
needs_kustomize = pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")), reason="neither kubectl nor kustomize is installed"
)


def containers(item: dict[str, Any]) -> list[dict[str, Any]]:
    spec = item["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.fixture(params=["base", "overlays/small-node", "overlays/quiet"])
def shop(request: pytest.FixtureRequest) -> tuple[dict[str, Any], ...]:
    return render(SHOP / request.param)


@needs_kustomize
def test_no_object_claims_rights_or_all_of_anything(shop: tuple[dict[str, Any], ...]) -> None:
    assert {item["kind"] for item in shop} == {"Deployment", "Service", "ServiceAccount"}
    assert "*" not in [value for item in shop for value in _values(item)]


@needs_kustomize
def test_every_image_is_pinned_and_every_container_asks_for_little(shop: tuple[dict[str, Any], ...]) -> None:
    rows = [row for item in shop if item["kind"] == "Deployment" for row in containers(item)]
    loose = [row["image"] for row in rows if not re.match(r":v?\d+\.\d+\.\d+", split_image(row["image"])[1])]
    assert loose == []
    assert [row["name"] for row in rows if set(row["resources"]["requests"]) != {"cpu", "memory"}] == []


@needs_kustomize
def test_all_twelve_workloads_stand_in_the_shops_namespace(shop: tuple[dict[str, Any], ...]) -> None:
    assert sum(item["kind"] == "Deployment" for item in shop) == 12
    assert {item["metadata"]["namespace"] for item in shop} == {"online-boutique"}


@needs_kustomize
def test_everything_that_serves_is_probed(shop: tuple[dict[str, Any], ...]) -> None:
    unprobed = {
        item["metadata"]["name"]
        for item in shop
        if item["kind"] == "Deployment"
        for row in item["spec"]["template"]["spec"]["containers"]
        if not ("readinessProbe" in row and "livenessProbe" in row)
    }
    assert unprobed == {"loadgenerator"}, "it calls and is never called"


@needs_kustomize
def test_only_the_shops_door_has_a_port_on_the_node(shop: tuple[dict[str, Any], ...]) -> None:
    services = [item for item in shop if item["kind"] == "Service"]
    open_to_all = [item for item in services if item["spec"].get("type", "ClusterIP") != "ClusterIP"]
    assert [(item["metadata"]["name"], item["spec"]["ports"][0]["nodePort"]) for item in open_to_all] == [
        ("frontend-external", 30001)
    ]


@needs_kustomize
def test_small_node_asks_for_the_same_little_everywhere() -> None:
    rows = [
        row for item in render(SHOP / "overlays/small-node") if item["kind"] == "Deployment" for row in containers(item)
    ]
    assert len(rows) == 13
    assert {tuple(sorted(row["resources"]["requests"].items())) for row in rows} == {
        (("cpu", "50m"), ("memory", "64Mi"))
    }


def _values(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _values(inner)]
    return [text for inner in value for text in _values(inner)] if isinstance(value, list) else [str(value)]
