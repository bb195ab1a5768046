"""A release that changes what is immutable: nothing of it is applied, and the heal flow names object and field."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.demo.project import DemoRepository
from tasks.clients.kubernetes import Cluster
from tasks.domain.cluster import ObjectRef, dig
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus
from tasks.domain.rollout import DeployStatus
from tests.cluster.releases import Manifest, cart, config_map, deploy, job
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
COMMIT = "e" * 40


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path) -> Iterator[Healing]:
    yield Healing(DemoRepository(tmp_path / "none"))


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        pytest.param(cart(), cart(selector="basket"), "spec.selector", id="selector-of-a-deployment"),
        pytest.param(job("1"), job("2"), "spec.template", id="template-of-a-job"),
    ],
)
def test_immutable_change_is_not_applied_and_is_explained(
    cluster: Cluster,
    namespace: str,
    healing: Healing,
    tmp_path: Path,
    before: Manifest,
    after: Manifest,
    field: str,
) -> None:
    ref = ObjectRef(kind=before["kind"], namespace=namespace, name=before["metadata"]["name"])
    assert deploy(tmp_path, namespace, config_map("19"), before).status is DeployStatus.VERIFIED
    live = cluster.read(ref)

    shown = deploy(tmp_path, namespace, config_map("7"), after, dry_run=True)
    assert (shown.status, shown.incident_ids) == (DeployStatus.INVALID, ()), "a dry run only shows"
    report = deploy(tmp_path, namespace, config_map("7"), after, commit=COMMIT)
    assert (report.status, report.failure_class) == (DeployStatus.INVALID, FailureClass.DEP_APPLY_INVALID)
    assert cluster.read(ObjectRef(kind="ConfigMap", namespace=namespace, name="prices")).raw["data"] == {"tax": "19"}
    assert dig(cluster.read(ref).raw, "metadata", "generation") == dig(live.raw, "metadata", "generation")

    (incident_id,) = report.incident_ids
    incident = healing.ledger.incidents.get(incident_id).incident
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED, outcome.summary
    story = healing.story(incident)
    assert story.diagnosis is not None
    assert story.evidence is not None
    assert story.diagnosis.failure_class is FailureClass.DEP_APPLY_INVALID
    assert f"{ref} was not applied: the release changes {field}, which is immutable" in story.diagnosis.cause
    quoted = [story.evidence.line(name) for name in story.diagnosis.evidence_ids]
    assert any(line is not None and "field is immutable" in line.text for line in quoted), "the API server's words"
    assert incident.signal.commit == COMMIT
