"""Faults of a real cluster, healed end to end through the heal flow on a real Prefect server, proven and undone."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deployments.demo.project import DemoRepository
from flows.explain_cluster import explain_live_cluster
from flows.heal_cluster import cluster_signal
from flows.undo import undo_heal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.incident import Incident, IncidentStatus, open_incident
from tests.cluster.faults import READY, SERVER, container, deployment, service
from tests.flows.conftest import prefect_server as prefect_server  # noqa: PLC0414  a fixture
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect, pytest.mark.xdist_group("cluster")]
WELL = container(SERVER, readinessProbe=READY)
IMAGE = "/spec/template/spec/containers/0/image"


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Healing]:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "60")
    yield Healing(DemoRepository(tmp_path / "none"))


class Shop:
    """One namespace with a cart that works, to be broken."""

    def __init__(self, cluster: Cluster, namespace: str, healing: Healing) -> None:
        self._cluster, self._namespace, self._healing = cluster, namespace, healing
        self.cart = ObjectRef(kind="Deployment", namespace=namespace, name="cart")
        self.create(deployment(WELL))
        self.wait(lambda: self.read().status.get("readyReplicas") == 1)

    def create(self, manifest: dict[str, Any]) -> None:
        metadata = {**manifest["metadata"], "namespace": self._namespace}
        self._cluster.create({**manifest, "metadata": metadata})

    def read(self, ref: ObjectRef | None = None) -> KubeObject:
        return self._cluster.read(ref or self.cart)

    def change(self, path: str, value: Any, ref: ObjectRef | None = None) -> None:
        self._cluster.patch(ref or self.cart, [{"op": "replace", "path": path, "value": value}])

    def explain(self) -> ClusterExplanation:
        settings = self._healing.settings.kubernetes
        return explain_live_cluster(settings, namespace=self._namespace, now=datetime.now(UTC))

    def open_incident(self) -> Incident:
        """What 'healflow heal' does, once the fault shows."""
        self.wait(lambda: bool(self.explain().causes))
        now = datetime.now(UTC)
        return self._healing.ledger.incidents.open(
            open_incident(cluster_signal(self.explain().causes[0], now=now), now=now)
        )

    def image(self) -> Any:
        return dig(self.read().raw, "spec", "template", "spec", "containers")[0]["image"]

    @staticmethod
    def wait(holds: Any, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(1)


@pytest.fixture
def shop(cluster: Cluster, namespace: str, healing: Healing) -> Shop:
    return Shop(cluster, namespace, healing)


def test_bad_image_is_rolled_back_proven_and_taken_back(shop: Shop, healing: Healing) -> None:
    good = shop.image()
    shop.change(IMAGE, "busybox:1.36.typo")
    incident = shop.open_incident()
    assert healing.start(incident) is None, "policy asks before a live object is changed"
    assert shop.image() == "busybox:1.36.typo", "nothing is changed before the answer"
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("roll_back_rollout",)
    assert shop.image() == good
    undo_heal(healing.settings, incident.id, by="ada")
    assert shop.image() == "busybox:1.36.typo"


def test_rejected_plan_changes_nothing(shop: Shop, healing: Healing) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.REJECT, reason="a person looks at it")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert shop.image() == "busybox:1.36.typo"


def test_plan_is_void_when_the_target_moved_while_it_waited(shop: Shop, healing: Healing) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    shop.change(IMAGE, "busybox:1.36.other")
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "void" in outcome.summary
    assert shop.image() == "busybox:1.36.other"


def test_what_is_healthy_again_by_itself_is_not_touched(shop: Shop, healing: Healing) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    shop.change(IMAGE, WELL["image"])
    shop.wait(lambda: shop.read().status.get("updatedReplicas") == shop.read().status.get("readyReplicas") == 1)
    generation = shop.read().raw["metadata"]["generation"]
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.action_names == ()
    assert shop.read().raw["metadata"]["generation"] == generation


def test_wrong_selector_is_put_right(shop: Shop, healing: Healing) -> None:
    shop.create(service("basket"))
    incident = shop.open_incident()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    ref = ObjectRef(kind="Service", namespace=shop.cart.namespace, name="cart")
    assert shop.read(ref).spec["selector"] == {"app": "cart"}


def test_protected_namespace_is_not_changed(shop: Shop, healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    monkeypatch.setenv("HEALFLOW_KUBERNETES__PROTECTED_NAMESPACES", f'["{shop.cart.namespace}"]')
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert shop.image() == "busybox:1.36.typo"


def test_fix_that_does_not_help_is_undone(shop: Shop, healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "10")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "60")  # more than it is given: it cannot be proven
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    assert shop.image() == "busybox:1.36.typo"
