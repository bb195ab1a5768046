"""The deploy flow on a real Prefect server: it fails on what is denied, and waits, suspended, where policy asks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from tasks.approve import answer_newest, identify
from tasks.clients.kubernetes import Cluster
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind
from tasks.domain.cluster import ObjectRef
from tasks.domain.incident import IncidentStatus
from tasks.domain.rollout import DeployStatus
from tasks.errors import NotFoundError, PermanentError
from tasks.remember import read_story
from tasks.settings import Settings

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]


def policy(api: str = "networking.k8s.io/v1") -> dict[str, object]:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    return {"apiVersion": api, "kind": "NetworkPolicy", "metadata": {"name": "closed"}, "spec": spec}


def is_there(cluster: Cluster, namespace: str) -> bool:
    try:
        cluster.read(ObjectRef(kind="NetworkPolicy", namespace=namespace, name="closed"))
    except NotFoundError:
        return False
    return True


def start(parameters: dict[str, Any]) -> UUID:
    """A run of a deployment, without which none can be suspended."""
    from prefect import get_client

    from flows.deploy import deploy

    with get_client(sync_client=True) as client:
        deployment = client.create_deployment(flow_id=client.create_flow(deploy), name="deploy")
        return client.create_flow_run_from_deployment(deployment, parameters=parameters).id


def go_on(run_id: UUID, parameters: dict[str, Any]) -> Any:
    """Execute the run as a new process would; `None` when it waits."""
    from prefect import get_client
    from prefect.exceptions import Pause
    from prefect.flow_engine import run_flow

    from flows.deploy import deploy

    with get_client(sync_client=True) as client:
        run = client.read_flow_run(run_id)
    try:
        return run_flow(deploy, flow_run=run, parameters=parameters)
    except Pause:
        return None


def resume(run_id: UUID, **form: str) -> str:
    from prefect import get_client

    with get_client(sync_client=True) as client:
        return str(client.resume_flow_run(run_id, run_input=form).status.value)


@pytest.fixture
def parameters(prefect_server: None, namespace: str, tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "release.yaml"
    file.write_text(yaml.safe_dump(policy()))
    return {"folder": str(file), "namespace": namespace}


def test_denied_release_fails_the_run(parameters: dict[str, Any]) -> None:
    Path(parameters["folder"]).write_text(yaml.safe_dump(policy("example.com/v1")))
    with pytest.raises(PermanentError, match="denied"):
        go_on(start(parameters), parameters)


def test_run_waits_for_an_answer_and_a_bare_resume_applies_nothing(
    cluster: Cluster, namespace: str, parameters: dict[str, Any]
) -> None:
    run_id = start(parameters)
    assert go_on(run_id, parameters) is None, "policy asks before a NetworkPolicy is applied"
    assert resume(run_id) == "REJECT"
    assert resume(run_id, answer="apply it") == "REJECT"
    assert not is_there(cluster, namespace)
    assert resume(run_id, answer="approve") == "ACCEPT"
    assert go_on(run_id, parameters).status is DeployStatus.VERIFIED
    assert is_there(cluster, namespace)


def test_rejected_release_is_not_applied(cluster: Cluster, namespace: str, parameters: dict[str, Any]) -> None:
    run_id = start(parameters)
    assert go_on(run_id, parameters) is None
    assert resume(run_id, answer="reject") == "ACCEPT"
    with pytest.raises(PermanentError, match="not_approved"):
        go_on(run_id, parameters)
    assert not is_there(cluster, namespace)


def answer(run_id: UUID, given: Answer) -> str:
    """What 'healflow approve' and 'reject' do; the dispatcher wakes the run afterwards."""
    ledger = Ledger.shared(Settings().ledger_url)
    held = ledger.incidents.of_run(str(run_id))
    assert held is not None
    judgement = answer_newest(
        ledger,
        held.incident.id,
        answer=given,
        identity=identify(IdentityKind.LOCAL, "ada", ()),
        channel=ApprovalChannel.COMMAND_LINE,
        people=(),
        now=datetime.now(UTC),
    )
    assert judgement.refusal is None
    return held.incident.id


def test_no_in_the_ledger_counts_and_not_what_the_form_says_later(
    cluster: Cluster, namespace: str, parameters: dict[str, Any]
) -> None:
    run_id = start(parameters)
    assert go_on(run_id, parameters) is None
    incident_id = answer(run_id, Answer.REJECT)
    assert resume(run_id, answer="approve") == "ACCEPT"
    with pytest.raises(PermanentError, match="ada said no"):
        go_on(run_id, parameters)
    assert not is_there(cluster, namespace)
    events = Ledger.shared(Settings().ledger_url).events
    assert events.told_by_run(str(run_id)) == incident_id, "that the run failed by it is no second incident"


def test_form_that_policy_does_not_take_leaves_the_question_open(
    cluster: Cluster, namespace: str, parameters: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = '{"verdict": "ask", "reason": "r", "rules": ["own"], "approval": {"typed_name_counts": false}}'
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "own.rego").write_text(f"package healflow\ndefault decision := {terms}\n")
    monkeypatch.setenv("HEALFLOW_OBJECT_POLICY_DIR", str(folder))
    run_id = start(parameters)
    assert go_on(run_id, parameters) is None
    assert resume(run_id, answer="approve", approver="the boss") == "ACCEPT"
    assert go_on(run_id, parameters) is None, "nobody vouches for a typed name: it is suspended again"
    assert not is_there(cluster, namespace)
    incident_id = answer(run_id, Answer.APPROVE)
    assert resume(run_id, answer="approve") == "ACCEPT"
    assert go_on(run_id, parameters).status is DeployStatus.VERIFIED
    assert is_there(cluster, namespace)
    story = read_story(Ledger.shared(Settings().ledger_url), incident_id)
    assert (story.incident.status, story.approval and story.approval.answered_by) == (IncidentStatus.HEALED, "ada")
