"""A release that comes out and does not answer: an incident with its revision, healed by the last verified one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.demo.project import DemoRepository
from tasks.clients.kubernetes import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import ObjectRef, dig
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.rollout import DeployStatus
from tests.cluster.releases import DEAF, GOOD, cart, deploy, door
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
GOOD_COMMIT, BAD_COMMIT, NEXT_COMMIT = "a" * 40, "b" * 40, "c" * 40
BETTER = GOOD.replace("echo ok > /w/index", "echo better > /w/index")


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Healing]:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "30")
    yield Healing(DemoRepository(tmp_path / "none"))


def failed(healing: Healing, folder: Path, namespace: str) -> Incident:
    """The incident of a release that is ready and deaf."""
    bad = deploy(folder, namespace, cart(DEAF), door(), commit=BAD_COMMIT, smoke_timeout_seconds=2)
    assert (bad.status, bad.failure_class) == (DeployStatus.SMOKE_FAILED, FailureClass.DEP_SMOKE)
    assert bad.verified == (), "what does not answer is not verified"
    (incident_id,) = bad.incident_ids
    return healing.ledger.incidents.get(incident_id).incident


def test_release_that_does_not_answer_goes_back_to_the_verified_revision(
    cluster: Cluster, namespace: str, healing: Healing, tmp_path: Path
) -> None:
    good = deploy(tmp_path, namespace, cart(), door(), commit=GOOD_COMMIT)
    assert good.status is DeployStatus.VERIFIED, good.message
    incident = failed(healing, tmp_path, namespace)
    place = incident.signal.cluster
    assert place is not None
    assert (place.kind, place.name, place.revision, incident.signal.commit) == ("Deployment", "cart", "2", BAD_COMMIT)

    assert healing.start(incident) is None, "a change of a live object is asked about"
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    story = healing.story(incident)
    assert outcome is not None
    assert (outcome.status, outcome.action_names) == (IncidentStatus.HEALED, ("roll_back_rollout",)), outcome.summary
    assert story.diagnosis is not None
    assert story.diagnosis.failure_class is FailureClass.DEP_SMOKE
    assert "revision 2 of Deployment" in story.diagnosis.cause
    assert story.verification is not None
    assert any(check.name.startswith("smoke test/http") and check.passed for check in story.verification.checks)
    assert served(cluster, namespace) == GOOD

    after = deploy(tmp_path, namespace, cart(BETTER), door(), commit=NEXT_COMMIT)
    assert after.status is DeployStatus.VERIFIED, "what the heal changed is ours, and no conflict: " + after.message
    assert any(".command" in field for one in after.differences for field in one.taken), "and it is told"
    assert served(cluster, namespace) == BETTER


def served(cluster: Cluster, namespace: str) -> str:
    live = cluster.read(ObjectRef(kind="Deployment", namespace=namespace, name="cart"))
    return str(dig(live.raw, "spec", "template", "spec", "containers")[0]["command"][2])


def test_first_release_that_does_not_answer_is_reported_and_left_as_it_is(
    cluster: Cluster, namespace: str, healing: Healing, tmp_path: Path
) -> None:
    outcome = healing.start(failed(healing, tmp_path, namespace))
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED
    assert "no earlier revision was verified" in outcome.summary
    live = cluster.read(ObjectRef(kind="Deployment", namespace=namespace, name="cart"))
    assert dig(live.raw, "metadata", "generation") == 1


def test_roll_back_that_does_not_make_it_answer_is_undone(
    cluster: Cluster, namespace: str, healing: Healing, tmp_path: Path
) -> None:
    url = deploy(tmp_path, namespace, cart(), door(), commit=GOOD_COMMIT)
    assert url.status is DeployStatus.VERIFIED
    incident = failed(healing, tmp_path, namespace)
    assert healing.start(incident) is None
    nowhere = [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9}]
    cluster.patch(ObjectRef(kind="Service", namespace=namespace, name="cart"), nowhere)
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED, outcome.summary
    live = cluster.read(ObjectRef(kind="Deployment", namespace=namespace, name="cart"))
    assert dig(live.raw, "spec", "template", "spec", "containers")[0]["command"][2] == DEAF
