"""An alert without a target: told to a person as *unknown*, with what it said and what was not looked at."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.placing import place_signal
from flows.resolving import end_by_itself, place_end
from tasks.clients.ledger import StoredEvent
from tasks.domain.approval import Answer
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus
from tasks.intake import parse_alertmanager
from tasks.verify.again import Seen
from tests.fakes.kubernetes_api import FakeKubernetes, serving
from tests.flows.healing import Healing
from tests.unit.intake.alerts import alert, bare, notification

pytestmark = pytest.mark.prefect


def opened(healing: Healing, body: bytes) -> Incident:
    """What the gateway and the dispatcher do with a notification."""
    now = datetime.now(UTC)
    told = parse_alertmanager(body, now=now, own_cluster=healing.settings.kubernetes.cluster_name)
    event = StoredEvent(
        delivery_id=told.delivery_id, source="alertmanager", event_name="alerts", body=body, received_at=now
    )
    healing.ledger.event_writer.submit(event).result()
    placed, *_ = [place_signal(healing.ledger, one, settings=healing.settings.intake, now=now) for one in told.signals]
    return healing.ledger.incidents.get(placed.incident_id).incident


def test_alert_without_a_target_ends_as_unknown_with_what_was_looked_at(healing: Healing) -> None:
    alert = bare(annotations={"summary": "Mails wait", "detail": "login with password=hunter2hunter2"})
    incident = opened(healing, notification(alert))
    outcome = healing.start(incident)
    assert outcome is not None
    assert (outcome.status, outcome.failure_class) == (IncidentStatus.REPORTED, FailureClass.UNKNOWN)
    story = healing.story(incident)
    assert story.evidence is not None
    said = [line.text for line in story.evidence.lines]
    assert "summary: Mails wait" in said
    assert not any("hunter2" in line for line in said)
    assert [source.source for source in story.evidence.unreadable] == ["cluster"]


@pytest.fixture
def shop_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKubernetes]:
    """A cluster called shop-eu, whose API tells what it was asked."""
    with serving(FakeKubernetes()) as fake:
        fake.add("Namespace", "shop")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(fake.kubeconfig(tmp_path)))
        monkeypatch.setenv("HEALFLOW_KUBERNETES__CLUSTER_NAME", "shop-eu")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__LOOK_AGAIN_SECONDS", "0")
        yield fake


def test_alert_of_another_cluster_is_reported_and_nothing_is_asked_of_ours(
    shop_cluster: FakeKubernetes, healing: Healing
) -> None:
    incident = opened(healing, notification(alert(labels={"cluster": "shop-us"})))
    outcome = healing.start(incident)
    assert outcome is not None
    assert (outcome.status, outcome.action_names) == (IncidentStatus.REPORTED, ())
    assert "the cluster shop-us, which is not the one that is healed here" in outcome.summary
    assert shop_cluster.requests == []
    assert healing.ledger.memory.actions_of(incident.id) == ()
    story = healing.story(incident)
    assert story.evidence is not None
    assert "shop-us" in story.evidence.unreadable[0].reason


def test_alert_of_our_cluster_is_looked_at_there(shop_cluster: FakeKubernetes, healing: Healing) -> None:
    healing.start(opened(healing, notification(alert(labels={"cluster": "shop-eu"}))))
    assert any("/namespaces/shop/pods" in path for _, path in shop_cluster.requests)


def test_alert_that_resolved_before_its_heal_began_is_not_acted_on(healing: Healing) -> None:
    incident = opened(healing, notification(bare("Gone")))
    now = datetime.now(UTC)
    (end,) = parse_alertmanager(notification(bare("Gone", status="resolved")), now=now).resolved
    place_end(healing.ledger, end, now=now)
    outcome = healing.start(incident)
    assert outcome is not None
    assert (outcome.status, outcome.action_names) == (IncidentStatus.RESOLVED, ())
    assert healing.story(incident).plan is None


def test_approved_plan_is_not_carried_out_once_the_failure_went_away(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    assert healing.say(incident, Answer.APPROVE_AND_MERGE).refusal is None
    broken = healing.tip()
    assert end_by_itself(healing.ledger, incident.id, Seen(), now=datetime.now(UTC))
    healing.wake(incident, Answer.APPROVE_AND_MERGE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert (outcome.status, outcome.action_names) == (IncidentStatus.RESOLVED, ())
    assert (healing.branches(), healing.tip()) == ({"main"}, broken)
    assert healing.ledger.memory.actions_of(incident.id) == ()
