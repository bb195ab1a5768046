"""Workloads of a real cluster that are patched, restarted, sized and scaled: proven, and undone where it does not help."""

from typing import Any

import pytest

from flows.undo import undo_heal
from tasks.domain.approval import Answer
from tasks.domain.cluster import ObjectRef, dig
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import Outcome
from tests.cluster.faults import manifest
from tests.cluster.shop import WELL, Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
CONTAINER = "/spec/template/spec/containers/0"


def heal(shop: Shop, healing: Healing, remedy: str) -> tuple[str, Outcome]:
    """The incident's id and the outcome of an approved heal; until the approval nothing is changed."""
    incident = shop.open_incident()
    before = shop.read().raw["metadata"]["generation"]
    assert healing.start(incident) is None, healing.story(incident).outcome
    assert shop.read().raw["metadata"]["generation"] == before, "nothing is changed before the answer"
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.action_names == (remedy,), outcome.summary
    return incident.id, outcome


def settled(shop: Shop) -> bool:
    """Whether the newest revision is all there is, and ready."""
    cart = shop.read()
    wanted, status = cart.spec.get("replicas"), cart.status
    seen = status.get("observedGeneration") == cart.raw["metadata"]["generation"]
    return seen and wanted == status.get("replicas") == status.get("updatedReplicas") == status.get("readyReplicas")


def first_container(shop: Shop) -> Any:
    return dig(shop.read().raw, "spec", "template", "spec", "containers")[0]


def break_two_places(shop: Shop) -> None:
    """A new revision with a typo in its image and, beside it, a variable that does no harm."""
    broken = {**WELL, "image": "busybox:1.36.typo", "env": [{"name": "GREETING", "value": "hello"}]}
    shop.change(CONTAINER, broken)


def test_image_is_put_right_and_the_rest_of_the_revision_stays(shop: Shop, healing: Healing) -> None:
    break_two_places(shop)
    incident_id, outcome = heal(shop, healing, "patch_workload")
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert shop.image() == WELL["image"]
    assert first_container(shop)["env"] == [{"name": "GREETING", "value": "hello"}]
    undo_heal(healing.settings, incident_id, by="ada")
    assert shop.image() == "busybox:1.36.typo"


def test_patch_that_cannot_be_proven_is_undone(shop: Shop, healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    break_two_places(shop)
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "10")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "60")  # more than it is given
    _, outcome = heal(shop, healing, "patch_workload")
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    assert shop.image() == "busybox:1.36.typo"


def hang(shop: Shop, *, then: str) -> None:
    """A cart that loses its page after a while and runs on; pods that begin later are `then`."""
    shop.create(manifest("ConfigMap", "mode", data={"mode": "hangs"}))
    mode = {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "mode", "key": "mode"}}}
    command = (
        "mkdir -p /w; [ $MODE = broken ] || echo ok > /w/index.html; "
        "[ $MODE = hangs ] && (sleep 15; rm /w/index.html) & httpd -f -p 8080 -h /w"
    )
    shop.change(CONTAINER, {**WELL, "command": ["sh", "-c", command], "env": [mode]})
    shop.wait(lambda: settled(shop))
    shop.change("/data/mode", then, ObjectRef(kind="ConfigMap", namespace=shop.cart.namespace, name="mode"))
    shop.wait(lambda: bool(shop.read().status.get("unavailableReplicas")))


def mark(shop: Shop) -> Any:
    return dig(shop.read().raw, "spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")


def test_what_hangs_is_restarted(shop: Shop, healing: Healing) -> None:
    hang(shop, then="well")
    _, outcome = heal(shop, healing, "restart_rollout")
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert mark(shop)


def test_restart_that_does_not_help_is_undone_and_not_tried_again(
    shop: Shop, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "15")
    hang(shop, then="broken")
    _, outcome = heal(shop, healing, "restart_rollout")
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    assert mark(shop) is None
    second = healing.start(shop.open_incident())
    assert second is None or "restart_rollout" not in second.action_names
    assert mark(shop) is None
