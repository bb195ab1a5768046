"""Faults of a real cluster, healed end to end through the heal flow on a real Prefect server, proven and undone."""

import pytest

from flows.undo import undo_heal
from tasks.domain.approval import Answer
from tasks.domain.cluster import ObjectRef
from tasks.domain.incident import IncidentStatus
from tests.cluster.faults import service
from tests.cluster.shop import WELL, Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
IMAGE = "/spec/template/spec/containers/0/image"


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
