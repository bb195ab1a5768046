"""Heals that go wrong on a real cluster: remedies that do not help, two at one target, an API server that goes away.

That one comes last of what is run alone: for half a minute after it the scheduler may not know of new nodes.
"""

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import ObjectRef
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import Outcome
from tests.cluster.faults import READY, container, deployment, service
from tests.cluster.shop import Shop
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect, pytest.mark.alone]
IMAGE = "/spec/template/spec/containers/0/image"
BAD = "busybox:1.36.typo"


class InBackground:
    """A heal that goes on in a thread, as another process would."""

    def __init__(self, healing: Healing, incident: Any) -> None:
        self.outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, args=(healing, incident), daemon=True)
        self._thread.start()

    def _run(self, healing: Healing, incident: Any) -> None:
        self.outcome = healing.go_on(incident)

    def end(self) -> Outcome:
        self._thread.join(180)
        assert self.outcome is not None, "the heal did not end"
        return self.outcome


def bomb(seconds: float) -> dict[str, Any]:
    """A server that works for so long, whatever its revision, and is not ready after that."""
    until = f"while [ $(date +%s) -lt {int(time.time() + seconds)} ]; do sleep 1; done; rm /w/index.html; sleep 3600"
    command = f"mkdir /w; echo ok > /w/index.html; httpd -p 8080 -h /w; {until}"
    return container(command, readinessProbe={**READY, "failureThreshold": 1})


def ready(shop: Shop) -> int:
    return int(shop.read().status.get("readyReplicas") or 0)


def test_rollback_to_a_revision_that_fails_by_now_is_undone(
    cluster: Cluster, namespace: str, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "15")
    shop = Shop(cluster, namespace, healing, deployment(bomb(30)))
    shop.change(IMAGE, BAD)
    incident = shop.open_incident()
    assert healing.start(incident) is None
    shop.wait(lambda: not ready(shop))
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    assert shop.image() == BAD


def test_selector_that_leads_to_pods_that_fail_by_now_is_undone(
    cluster: Cluster, namespace: str, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "15")
    shop = Shop(cluster, namespace, healing, deployment(bomb(30)))
    shop.create(service("basket"))
    incident = shop.open_incident()
    assert healing.start(incident) is None
    shop.wait(lambda: not ready(shop))
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    ref = ObjectRef(kind="Service", namespace=namespace, name="cart")
    assert shop.read(ref).spec["selector"] == {"app": "basket"}


def test_fix_beside_which_a_neighbour_gets_worse_is_undone(
    cluster: Cluster, namespace: str, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "45")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "30")
    shop = Shop(cluster, namespace, healing)
    mailer = Shop(cluster, namespace, healing, deployment(bomb(28), name="mailer"))
    shop.change(IMAGE, BAD)
    incident = shop.open_incident()
    outcome = shop.heal(incident)
    assert not ready(mailer), "the neighbour failed while the fix was watched"
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was undone" in outcome.summary
    assert shop.image() == BAD


def test_second_heal_of_one_target_waits_for_the_first_and_changes_nothing(
    shop: Shop, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "20")  # the other comes meanwhile, however late
    good = shop.image()
    shop.change(IMAGE, BAD)
    incidents = [shop.open_incident(), shop.open_incident()]
    assert incidents[0].id != incidents[1].id
    for incident in incidents:
        assert healing.start(incident) is None
        healing.answer(incident, Answer.APPROVE)
    generation = shop.read().raw["metadata"]["generation"]
    outcomes = [heal.end() for heal in [InBackground(healing, incident) for incident in incidents]]
    assert sorted(outcome.action_names for outcome in outcomes) == [(), ("roll_back_rollout",)]
    assert shop.image() == good
    assert shop.read().raw["metadata"]["generation"] == generation + 1, "it was changed once"
    told = [entry.what for incident in incidents for entry in healing.story(incident).timeline]
    assert any("waits for inc-" in what for what in told), told


@pytest.fixture
def part() -> Path:
    """What takes a part of the test cluster down."""
    place = Path(os.environ.get("HEALFLOW_TEST_CLUSTER", Path(__file__).parents[3] / "shared" / "cluster")) / "part"
    if not place.is_file():
        pytest.skip("nothing here can stop an API server: HEALFLOW_TEST_CLUSTER names no test cluster")
    return place


def test_api_server_that_stops_in_the_middle_of_a_heal_is_waited_for(shop: Shop, healing: Healing, part: Path) -> None:
    good = shop.image()
    shop.change(IMAGE, BAD)
    incident = shop.open_incident()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    heal = InBackground(healing, incident)
    shop.wait(lambda: shop.image() == good)
    try:
        subprocess.run([str(part), "stop", "apiserver"], check=True, timeout=60)
        time.sleep(8)
        assert heal.outcome is None, "what cannot be read is not proven"
    finally:
        subprocess.run([str(part), "start", "apiserver"], check=True, timeout=120)
    outcome = heal.end()
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert shop.image() == good
