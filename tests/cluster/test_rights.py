"""A heal on a real cluster as the two accounts that are generated for it, which can do nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.demo.project import DemoRepository
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.domain.incident import IncidentStatus
from tasks.errors import ForbiddenError, NotFoundError
from tasks.settings import KubernetesSettings
from tests.cluster.accounts import generated_accounts
from tests.cluster.faults import manifest
from tests.cluster.shop import Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
NEVER = (
    ("get", "", "secrets"),
    ("list", "", "secrets"),
    ("create", "", "pods/exec"),
    ("create", "", "serviceaccounts/token"),
    ("delete", "", "namespaces"),
    ("patch", "", "resourcequotas"),
    ("patch", "", "limitranges"),
    ("patch", "networking.k8s.io", "networkpolicies"),
    ("delete", "", "persistentvolumeclaims"),
    ("delete", "apps", "deployments"),
    ("create", "rbac.authorization.k8s.io", "rolebindings"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    ("impersonate", "", "users"),
)


@pytest.fixture
def kubeconfig(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig with a context for each of the two accounts, allowed to change only this namespace."""
    with generated_accounts(cluster, (namespace,), tmp_path / "accounts.yaml") as path:
        yield path


@pytest.fixture
def healing(
    prefect_server: None, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Healing]:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("HEALFLOW_KUBERNETES__CONTEXT", "observer")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEALER_CONTEXT", "healer")
    yield Healing(DemoRepository(tmp_path / "none"))


def test_heal_goes_through_as_observer_and_healer(cluster: Cluster, namespace: str, healing: Healing) -> None:
    shop = Shop(cluster, namespace, healing)
    good = shop.image()
    shop.change("/spec/template/spec/containers/0/image", "busybox:1.36.typo")
    outcome = shop.heal(shop.open_incident())
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert shop.image() == good
    managers = shop.read().raw["metadata"]
    assert managers["generation"] >= 3


@pytest.fixture(params=["observer", "healer"])
def account(request: pytest.FixtureRequest, kubeconfig: Path) -> Iterator[Cluster]:
    with Cluster.from_settings(KubernetesSettings(kubeconfig=kubeconfig, context=request.param)) as one:
        yield one


def may(account: Cluster, verb: str, group: str, resource: str, namespace: str) -> bool:
    plain, _, part = resource.partition("/")
    what: dict[str, Any] = {"verb": verb, "group": group, "resource": plain, "namespace": namespace}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {**what, **({"subresource": part} if part else {})}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(account.connection.request("POST", path, body=body)["status"]["allowed"])


def test_neither_account_can_do_what_no_action_needs(account: Cluster, namespace: str) -> None:
    assert [row for row in NEVER if may(account, row[0], row[1], row[2], namespace)] == []
    assert not may(account, "*", "*", "*", namespace)


def test_neither_account_changes_anything_elsewhere(account: Cluster, namespace: str) -> None:
    for verb, group, resource in (("patch", "apps", "deployments"), ("patch", "", "services"), ("delete", "", "pods")):
        assert not may(account, verb, group, resource, "default")


def test_observer_is_refused_by_the_api_server_itself(cluster: Cluster, namespace: str, kubeconfig: Path) -> None:
    secret = manifest("Secret", "login", data={"password": "aHVudGVyMg=="})
    cluster.create({**secret, "metadata": {"name": "login", "namespace": namespace}})
    with Cluster.from_settings(KubernetesSettings(kubeconfig=kubeconfig, context="observer")) as observer:
        assert observer.read(ObjectRef(kind="ConfigMap", namespace=namespace, name="kube-root-ca.crt"))
        with pytest.raises(ForbiddenError):
            observer.read(ObjectRef(kind="Secret", namespace=namespace, name="login"))
        with pytest.raises((ForbiddenError, NotFoundError)):
            observer.patch(ObjectRef(kind="Deployment", namespace=namespace, name="cart"), [])
