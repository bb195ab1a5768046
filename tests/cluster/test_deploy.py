"""A deploy on a real cluster: what must not be applied first, then the whole shop, then a release that is broken."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml

from flows.explain_cluster import explain_live_cluster
from flows.release import bring_out, plain_steps
from tasks.clients.kubernetes import Cluster
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer
from tasks.domain.cluster import KubeObject, ObjectRef, mappings_of
from tasks.domain.failure_class import FailureClass
from tasks.domain.rollout import DeployReport, DeployStatus, ReleaseOrder, RolloutState
from tasks.domain.story import Triage
from tasks.errors import NotFoundError
from tasks.settings import Settings
from tests.fakes.asked import Somebody

pytestmark = [pytest.mark.cluster]
SHOP = Path(__file__).parents[2] / "k8s" / "online-boutique" / "overlays" / "small-node"
SERVICES = "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo"
COMMIT = "c" * 40
MAPPED = ("busybox=busybox:1.38.0", "redis=redis:7-alpine")
"""The registry of the test cluster finds nothing by digest, and has few versions."""
DOOR = 30001
"""The port of the node that the shop's manifests name."""


def deploy(order: ReleaseOrder, answer: Answer | None = None) -> tuple[DeployReport, list[Triage]]:
    settings = Settings()
    asker = Somebody(settings, answer)
    return bring_out(settings, order, plain_steps(settings, lambda _: None), asker=asker), asker.seen


def write(folder: Path, *objects: dict[str, object]) -> str:
    file = folder / "release.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return str(file)


def config_map(name: str = "prices", tax: str = "19") -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"tax": tax}}


def exists(cluster: Cluster, namespace: str, kind: str, name: str) -> bool:
    try:
        cluster.read(ObjectRef(kind=kind, namespace=namespace, name=name))
    except NotFoundError:
        return False
    return True


def test_denied_object_keeps_the_whole_release_from_being_applied(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    pod = {"hostNetwork": True, "containers": [{"name": "app", "image": "busybox"}]}
    labels = {"app": "spy"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    spy = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "spy"}, "spec": spec}
    report, asked = deploy(ReleaseOrder(folder=write(tmp_path, config_map(), spy), namespace=namespace), Answer.APPROVE)
    assert report.status is DeployStatus.DENIED
    assert "share the node's network" in report.message
    assert asked == [], "a person cannot allow what policy denies"
    assert not exists(cluster, namespace, "Deployment", "spy")
    assert not exists(cluster, namespace, "ConfigMap", "prices")


def test_what_a_person_does_not_approve_is_not_applied_and_what_one_does_is(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    order = ReleaseOrder(folder=write(tmp_path, config_map(), policy), namespace=namespace)
    for answer in (None, Answer.REJECT):
        report, asked = deploy(order, answer)
        assert (report.status, len(asked)) == (DeployStatus.NOT_APPROVED, 1)
        assert not exists(cluster, namespace, "NetworkPolicy", "closed")
        assert not exists(cluster, namespace, "ConfigMap", "prices")
    report, _ = deploy(order, Answer.APPROVE)
    assert report.status is DeployStatus.VERIFIED
    assert exists(cluster, namespace, "NetworkPolicy", "closed")


def test_dry_run_changes_nothing_and_tells_the_difference(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    order = ReleaseOrder(folder=write(tmp_path, config_map()), namespace=namespace, dry_run=True)
    report, _ = deploy(order)
    assert (report.status, report.differences[0].created) == (DeployStatus.DRY_RUN, True)
    assert not exists(cluster, namespace, "ConfigMap", "prices")
    deploy(order.model_copy(update={"dry_run": False}))
    write(tmp_path, config_map(tax="7"))
    report, _ = deploy(order)
    assert "-  tax: '19'" in report.differences[0].text
    assert "+  tax: '7'" in report.differences[0].text
    live = cluster.read(ObjectRef(kind="ConfigMap", namespace=namespace, name="prices"))
    assert live.raw["data"] == {"tax": "19"}


def test_field_of_another_manager_is_a_conflict_and_stays_theirs(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/prices"
    theirs = {**config_map(tax="0"), "metadata": {"name": "prices", "namespace": namespace}}
    cluster.connection.request(
        "PATCH", path, query={"fieldManager": "somebody"}, body=theirs, content_type="application/apply-patch+yaml"
    )
    report, _ = deploy(ReleaseOrder(folder=write(tmp_path, config_map()), namespace=namespace))
    assert (report.status, report.failure_class) == (DeployStatus.CONFLICT, FailureClass.DEP_CONFLICT)
    assert "somebody" in report.message
    assert cluster.read(ObjectRef(kind="ConfigMap", namespace=namespace, name="prices")).raw["data"] == {"tax": "0"}


def test_field_of_another_manager_stays_theirs_beside_one_that_a_heal_changed(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    prices = ObjectRef(kind="ConfigMap", namespace=namespace, name="prices")
    both = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}, "data": {"tax": "19", "vat": "1"}}
    order = ReleaseOrder(folder=write(tmp_path, both), namespace=namespace)
    assert deploy(order)[0].status is DeployStatus.VERIFIED
    cluster.patch(prices, [{"op": "replace", "path": "/data/tax", "value": "7"}])
    path = f"/api/v1/namespaces/{namespace}/configmaps/prices"
    theirs = [{"op": "replace", "path": "/data/vat", "value": "0"}]
    kind = "application/json-patch+json"
    cluster.connection.request("PATCH", path, query={"fieldManager": "somebody"}, body=theirs, content_type=kind)
    report, _ = deploy(order)
    assert report.status is DeployStatus.CONFLICT, "a foreign field among ours"
    assert cluster.read(prices).raw["data"] == {"tax": "7", "vat": "0"}, "and ours is not taken alone"
    write(tmp_path, {**both, "data": {"tax": "19", "vat": "0"}})
    report, _ = deploy(order)
    assert report.status is DeployStatus.VERIFIED, report.message
    assert [one.taken for one in report.differences] == [(".data.tax",)]
    assert cluster.read(prices).raw["data"] == {"tax": "19", "vat": "0"}


@pytest.fixture
def empty_place(cluster: Cluster) -> Iterator[str]:
    """The name of a namespace that is not there yet, on a node whose port 30001 is free."""
    taken = [
        item.ref
        for item in map(lambda raw: KubeObject(raw=raw), cluster.list_raw("Service"))
        if any(row.get("nodePort") == DOOR for row in mappings_of(item.spec.get("ports")))
    ]
    if taken:
        pytest.skip(f"port {DOOR} of the node belongs to {taken[0]}")
    name = f"healflow-test-{uuid.uuid4().hex[:8]}"
    yield name
    ref = ObjectRef(kind="Namespace", name=name)
    with suppress(NotFoundError):
        cluster.delete(ref, uid=str(cluster.read(ref).raw["metadata"]["uid"]))


def test_whole_shop_comes_out_and_a_broken_release_of_one_service_opens_its_incident(
    cluster: Cluster, empty_place: str
) -> None:
    namespace = empty_place
    order = ReleaseOrder(folder=str(SHOP), namespace=namespace, image_map=MAPPED, commit=COMMIT)
    shown, _ = deploy(order.model_copy(update={"dry_run": True}))
    assert shown.status is DeployStatus.DRY_RUN, shown.message
    assert not exists(cluster, "", "Namespace", namespace)

    report, asked = deploy(order)
    assert report.status is DeployStatus.VERIFIED, report.message
    assert asked == [], "an empty cluster needs no question"
    assert len(report.rollouts) == len(report.verified) == 12
    (node, *_) = cluster.list_raw("Node")
    address = next(row["address"] for row in node["status"]["addresses"] if row["type"] == "InternalIP")
    for path in ("/_healthz", "/", "/cart"):
        assert httpx.get(f"http://{address}:{DOOR}{path}", timeout=20).status_code == 200
    cart = ObjectRef(kind="Deployment", namespace=namespace, name="cartservice")
    ledger = Ledger.shared(Settings().ledger_url)
    good = ledger.revisions.last_verified(cluster.name, cart)
    assert good is not None
    assert (good.revision, good.commit) == (1, COMMIT)

    worse = f"{SERVICES}/cartservice={SERVICES}/cartservice:v0.10.7"
    broken = order.model_copy(update={"image_map": (*MAPPED, worse), "commit": "d" * 40, "rollout_timeout_seconds": 25})
    report, _ = deploy(broken)
    assert (report.status, report.failure_class) == (
        DeployStatus.ROLLOUT_FAILED,
        FailureClass.DEP_ROLLOUT_TIMEOUT,
    )
    assert [one.ref for one in report.rollouts if one.state is RolloutState.FAILED] == [cart]
    signal = ledger.incidents.get(report.incident_ids[0]).incident.signal
    assert signal.cluster is not None
    assert (signal.cluster.name, signal.cluster.revision, signal.commit) == ("cartservice", "2", "d" * 40)
    assert ledger.revisions.last_verified(cluster.name, cart) == good, "what failed is not verified"
    explained = explain_live_cluster(Settings().kubernetes, namespace=namespace, now=datetime.now(UTC))
    assert explained.causes[0].target == cart
