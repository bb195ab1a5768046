"""The two generated accounts on a real cluster, and a kubeconfig with a context for each of them."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from deployments.rbac import HEALER, OBSERVER, accounts
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.settings import KubernetesSettings
from tests.cluster.shop import Shop


@contextmanager
def generated_accounts(cluster: Cluster, namespaces: Sequence[str], path: Path) -> Iterator[Path]:
    """A kubeconfig with the contexts `observer` and `healer`, who may change something in these namespaces only; they
    live in the first of them, and what they have outside of it is taken away at the end."""
    home = namespaces[0]
    suffix = "-" + home.rpartition("-")[2]
    made = [row for row in accounts(namespaces, home=home, suffix=suffix) if row["kind"] != "Namespace"]
    for row in made:
        cluster.apply(row)
    try:
        yield _written(cluster, home, suffix, path)
    finally:
        for row in made:
            place = row["metadata"].get("namespace", "")
            if not place or place in KubernetesSettings().protected_namespaces:
                ref = ObjectRef(kind=row["kind"], namespace=place, name=row["metadata"]["name"])
                cluster.delete(ref, uid=str(cluster.read(ref).raw["metadata"]["uid"]))


def _written(cluster: Cluster, namespace: str, suffix: str, path: Path) -> Path:
    trusted: list[str] = []

    def published() -> bool:
        """Whether the controller has put the cluster's authority into the new namespace."""
        for one in cluster.list_raw("ConfigMap", namespace=namespace):
            trusted.extend([one["data"]["ca.crt"]] if one["metadata"]["name"] == "kube-root-ca.crt" else [])
        return bool(trusted)

    Shop.wait(published)
    authority = base64.b64encode(trusted[0].encode()).decode()
    names = {"observer": OBSERVER + suffix, "healer": HEALER + suffix}
    users = [{"name": key, "user": {"token": _token(cluster, namespace, name)}} for key, name in names.items()]
    place = {"server": cluster.connection.host, "certificate-authority-data": authority}
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "it", "cluster": place}],
                "users": users,
                "contexts": [{"name": key, "context": {"cluster": "it", "user": key}} for key in names],
                "current-context": "observer",
            }
        )
    )
    return path


def _token(cluster: Cluster, namespace: str, name: str) -> str:
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    return str(cluster.connection.request("POST", path, body=asked)["status"]["token"])
