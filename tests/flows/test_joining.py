"""Two alerts for one cause, whose objects' names do not tell of each other: one question, and one answer for both."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.domain.approval import Answer
from tasks.domain.incident import Incident, IncidentStatus
from tests.fakes.cluster_state import State
from tests.fakes.kubernetes_api import FakeKubernetes, serving
from tests.flows.healing import Healing
from tests.flows.test_heal_alert import opened
from tests.unit.intake.alerts import alert, notification

REVISION = "deployment.kubernetes.io/revision"
pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKubernetes]:
    """A `web` whose newest image does not exist, and `front`, which leads to nothing else."""
    state = State()
    state.service("front", selector={"app": "web"})
    web = state.get("Deployment", "web")
    before = copy.deepcopy(state.get("ReplicaSet", "web-5d4f8c7b9"))
    state.wait("web", "ImagePullBackOff", 'Back-off pulling image "registry.acme.io/web:1.4.2": not found')
    for maker in (web, state.get("ReplicaSet", "web-5d4f8c7b9")):
        maker["metadata"]["annotations"][REVISION] = "2"
    before["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.acme.io/web:1.4.1"
    status = {"replicas": 1, "readyReplicas": 1}
    annotations = {REVISION: "1"}
    state.put("ReplicaSet", "web-before", owner=web, annotations=annotations, spec=before["spec"], status=status)
    with serving(FakeKubernetes()) as fake:
        fake.objects = [*state.objects.values(), *state.events]
        monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(fake.kubeconfig(tmp_path)))
        monkeypatch.setenv("HEALFLOW_KUBERNETES__LOOK_AGAIN_SECONDS", "0")
        monkeypatch.setenv("HEALFLOW_KUBERNETES__MEASURE_SECONDS", "0")
        yield fake


def alerted(healing: Healing, label: str, name: str) -> Incident:
    labels = {"alertname": f"{label} {name}", "namespace": "shop", label: name}
    told = alert(fingerprint=f"f-{name}") | {"labels": labels}
    return opened(healing, notification(told, groupLabels={"n": name}, groupKey=name))


def test_second_alert_of_a_cause_joins_the_first_and_asks_nobody(shop: FakeKubernetes, healing: Healing) -> None:
    first, second = alerted(healing, "service", "front"), alerted(healing, "deployment", "web")
    assert first.id != second.id
    assert healing.start(first) is None, "it asks"
    joined = healing.start(second)
    assert joined is not None
    assert (joined.status, joined.action_names) == (IncidentStatus.JOINED, ())
    assert healing.ledger.approvals.of_incident(second.id) == ()
    assert healing.go_on(second, anew=True) == joined, "a run of it that is forced does nothing more"
    assert [one.signal for one in healing.story(first).members] == [first.signal, second.signal]

    healing.answer(first, Answer.REJECT)
    outcome = healing.go_on(first)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert {method for method, _ in shop.requests} == {"GET"}, "nothing was changed"
