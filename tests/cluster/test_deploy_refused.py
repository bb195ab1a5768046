"""A release that changes what is immutable: nothing of it is applied, and the heal flow names object and field."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.demo.project import DemoRepository
from flows.release import bring_out, plain_steps
from tasks.clients.kubernetes import Cluster
from tasks.domain.cluster import ObjectRef, dig
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus
from tasks.domain.rollout import DeployReport, DeployStatus, ReleaseOrder
from tests.flows.conftest import prefect_server as prefect_server  # noqa: PLC0414  a fixture
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect, pytest.mark.xdist_group("cluster")]
COMMIT = "e" * 40
POD = {
    "terminationGracePeriodSeconds": 0,
    "containers": [
        {
            "name": "app",
            "image": "busybox:1.36",
            "command": ["sleep", "3600"],
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        }
    ],
}


def cart(selector: str) -> dict[str, Any]:
    labels = {"app": selector}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": POD}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart"}, "spec": spec}


def job(seconds: str) -> dict[str, Any]:
    (container,) = POD["containers"]  # type: ignore[misc]
    pod = {"restartPolicy": "Never", "containers": [{**container, "command": ["sleep", seconds]}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "import"},
        "spec": {"template": {"spec": pod}},
    }


def config_map(tax: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prices"}, "data": {"tax": tax}}


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path) -> Iterator[Healing]:
    yield Healing(DemoRepository(tmp_path / "none"))


def deploy(healing: Healing, folder: Path, namespace: str, *objects: dict[str, Any], **order: Any) -> DeployReport:
    file = folder / "release.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    wanted = ReleaseOrder(folder=str(file), namespace=namespace, commit=COMMIT, **order)
    return bring_out(healing.settings, wanted, plain_steps(healing.settings, lambda _: None), approve=lambda _: False)


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        pytest.param(cart("cart"), cart("basket"), "spec.selector", id="selector-of-a-deployment"),
        pytest.param(job("1"), job("2"), "spec.template", id="template-of-a-job"),
    ],
)
def test_immutable_change_is_not_applied_and_is_explained(
    cluster: Cluster,
    namespace: str,
    healing: Healing,
    tmp_path: Path,
    before: dict[str, Any],
    after: dict[str, Any],
    field: str,
) -> None:
    ref = ObjectRef(kind=before["kind"], namespace=namespace, name=before["metadata"]["name"])
    assert deploy(healing, tmp_path, namespace, config_map("19"), before).status is DeployStatus.VERIFIED
    live = cluster.read(ref)

    shown = deploy(healing, tmp_path, namespace, config_map("7"), after, dry_run=True)
    assert (shown.status, shown.incident_ids) == (DeployStatus.INVALID, ()), "a dry run only shows"
    report = deploy(healing, tmp_path, namespace, config_map("7"), after)
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
