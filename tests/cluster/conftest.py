"""Tests on a real cluster: whichever KUBECONFIG names, each in a namespace of its own that is deleted again."""

import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deployments.demo.project import DemoRepository
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.errors import HealflowError, NotFoundError
from tasks.settings import KubernetesSettings
from tests.cluster.shop import Shop
from tests.flows.healing import Healing


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG names no cluster")
    try:
        with Cluster.from_settings(KubernetesSettings()) as live:
            live.connection.request("GET", "/version")
            yield live
    except HealflowError as error:
        pytest.skip(f"the cluster of KUBECONFIG cannot be reached: {error}")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    name = f"healflow-test-{uuid.uuid4().hex[:8]}"
    made = cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        with suppress(NotFoundError):
            cluster.delete(ObjectRef(kind="Namespace", name=name), uid=str(made.raw["metadata"]["uid"]))


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Healing:
    """The heals of a cluster, whose proof takes a few seconds; there is no repository."""
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "60")
    return Healing(DemoRepository(tmp_path / "none"))


@pytest.fixture
def shop(cluster: Cluster, namespace: str, healing: Healing) -> Shop:
    """A cart that serves, in the namespace of the test."""
    return Shop(cluster, namespace, healing)
