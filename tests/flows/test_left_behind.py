"""The other failures of a healed incident: what the fix is for, too, is left; what fails otherwise gets its own heal."""

from pathlib import Path

import pytest

from tasks.domain.approval import Answer
from tasks.domain.incident import Incident, IncidentStatus
from tests.fakes.kubernetes_api import FakeKubernetes, serving
from tests.flows.healing import Healing
from tests.flows.test_heal_alert import opened
from tests.unit.intake.alerts import alert, bare, notification

pytestmark = pytest.mark.prefect
TESTS = "tests/test_cart.py"


def in_flight(healing: Healing) -> list[Incident]:
    return [one.incident for one in healing.ledger.incidents.newest(in_flight_only=True)]


def test_run_that_fails_otherwise_gets_a_heal_and_one_that_fails_alike_does_not(healing: Healing) -> None:
    tests = (healing.repository.root / TESTS).read_text()
    healing.repository.commit("Expect the moon", {TESTS: tests.replace("== 3.5", "== 9.75")})
    healing.repository.misformat_a_file()
    incident = healing.place(healing.run_workflow("lint"))
    alike, otherwise = healing.run_workflow("lint"), healing.run_workflow("test")
    assert {healing.place(run).id for run in (alike, otherwise)} == {incident.id}

    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    (left,) = in_flight(healing)
    assert left.signal.run is not None
    assert left.signal.run.run_id == otherwise
    assert left.id in outcome.summary
    assert healing.ledger.members.count(left.id) == 1


def test_alert_behind_one_that_names_nothing_gets_a_heal_while_it_shows(
    healing: Healing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeKubernetes()) as fake:
        monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(fake.kubeconfig(tmp_path)))
        status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
        for name, ready in (("cart", 0), ("mailer", 1)):
            told = {
                "metadata": {"generation": 1},
                "spec": {"replicas": 1},
                "status": {**status, "readyReplicas": ready},
            }
            fake.add("Deployment", name, "shop", **told)
        about = [alert(f"A-{name}", labels={"deployment": name}) for name in ("mailer", "cart", "gone")]
        outcome = healing.start(opened(healing, notification(bare(), *about)))
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED
    (left,) = in_flight(healing)
    assert left.signal.cluster is not None
    assert (left.signal.cluster.name, healing.ledger.members.count(left.id)) == ("cart", 1)
