"""The namespace of a release: made where it is missing, and only there."""

from pathlib import Path

import pytest
import yaml

from tasks.domain.rollout import ReleaseOrder
from tasks.rollout.steps import render_release
from tasks.settings import KubernetesSettings
from tests.fakes.kubernetes_api import FakeKubernetes, serving

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "cart"}}}


def rendered(folder: Path, *objects: object, there: tuple[str, ...] = (), namespace: str = "shop") -> list[str]:
    (folder / "release.yaml").write_text(yaml.safe_dump_all(objects))
    fake = FakeKubernetes()
    for name in there:
        fake.add("Namespace", name)
    with serving(fake):
        settings = KubernetesSettings(kubeconfig=fake.kubeconfig(folder))
        order = ReleaseOrder(folder=str(folder / "release.yaml"), namespace=namespace)
        return [f"{item['kind']}/{item['metadata']['name']}" for item in render_release(settings, order)]


def test_namespace_that_is_there_is_left_alone(tmp_path: Path) -> None:
    assert rendered(tmp_path, CONFIG, there=("shop",)) == ["ConfigMap/prices"]


def test_missing_namespace_comes_first(tmp_path: Path) -> None:
    assert rendered(tmp_path, CONFIG, there=("bank",)) == ["Namespace/shop", "ConfigMap/prices"]


def test_namespace_of_the_release_itself_is_made_once_and_as_the_release_says(tmp_path: Path) -> None:
    assert rendered(tmp_path, CONFIG, NAMESPACE) == ["Namespace/shop", "ConfigMap/prices"]


@pytest.mark.parametrize("there", [("shop",), ()])
def test_object_of_the_cluster_needs_no_namespace(tmp_path: Path, there: tuple[str, ...]) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}
    assert rendered(tmp_path, role, there=there) == ["ClusterRole/reader"]
