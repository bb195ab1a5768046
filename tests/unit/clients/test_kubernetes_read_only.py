"""A connection that only reads refuses every change before anything is sent."""

from pathlib import Path

import pytest

from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.errors import ForbiddenError
from tasks.settings import KubernetesSettings
from tests.fakes.kubernetes_api import FakeKubernetes, serving

CART = ObjectRef(kind="ConfigMap", namespace="shop", name="cart")
MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cart", "namespace": "shop"}}


def test_change_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with serving(FakeKubernetes()) as fake:
        settings = KubernetesSettings(kubeconfig=fake.kubeconfig(tmp_path))
        with Cluster.from_settings(settings, read_only=True) as cluster:
            for change in (
                lambda: cluster.patch(CART, []),
                lambda: cluster.apply(MANIFEST),
                lambda: cluster.create(MANIFEST, dry_run=True),
                lambda: cluster.delete(CART, uid="1"),
            ):
                with pytest.raises(ForbiddenError, match="only reads"):
                    change()
        assert fake.requests == []
        with Cluster.from_settings(settings) as cluster:
            cluster.create(MANIFEST)
        assert fake.requests == [("POST", "/api/v1/namespaces/shop/configmaps")]
