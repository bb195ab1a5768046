"""The MCP server on a real cluster: every tool once, no Secret, and a proposal that waits with the cluster untouched."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from deployments.demo.project import DemoRepository
from deployments.mcp.server import make_server
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus
from tests.cluster.faults import READY, SERVER, container, deployment
from tests.cluster.shop import Shop
from tests.cluster.test_heal_cluster import IMAGE
from tests.flows.healing import Healing

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
SECRET = "hunter2-hunter2"
ENCODED = "aHVudGVyMi1odW50ZXIy"


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path) -> Iterator[Healing]:
    yield Healing(DemoRepository(tmp_path / "none"))


@pytest.fixture
def shop(cluster: Cluster, namespace: str, healing: Healing) -> Shop:
    made = Shop(cluster, namespace, healing)
    made.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"password": SECRET}}
    )
    talking = container(f"echo password={SECRET}; {SERVER}", readinessProbe=READY, image="busybox:1.36")
    made.create(deployment(talking, name="talker"))
    return made


def is_named(shop: Shop) -> bool:
    """Whether the image is what is wrong by now: before it was asked for, the pod only waits."""
    images = FailureClass.K8S_IMAGE_NOTFOUND
    return any(one.target == shop.cart and one.diagnosis.failure_class is images for one in shop.explain().causes)


def ask(healing: Healing, *calls: tuple[str, dict[str, Any]]) -> list[tuple[str, bool]]:
    async def drive() -> list[tuple[str, bool]]:
        async with Client(make_server(healing.settings, healing.ledger)) as client:
            results = [await client.call_tool(tool, arguments) for tool, arguments in calls]
            return [(result.content[0].text, bool(result.is_error)) for result in results]

    return asyncio.run(drive())


def pod_of(healing: Healing, namespace: str, app: str) -> str:
    ((told, _),) = ask(healing, ("pods_list", {"namespace": namespace, "label_selector": f"app={app}"}))
    return told.splitlines()[1].split()[1]


def test_every_tool_answers_without_the_secret(shop: Shop, healing: Healing) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    shop.wait(lambda: is_named(shop))
    here = {"namespace": shop.cart.namespace}
    shop.wait(lambda: "Running" in ask(healing, ("pods_list", {**here, "label_selector": "app=talker"}))[0][0])
    talker = pod_of(healing, here["namespace"], "talker")
    proposed = ("propose_remedy", {**here, "kind": "Deployment", "name": "cart"})
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("cluster_info", {}, "kubernetes: v1."),
        ("namespaces_list", {}, here["namespace"]),
        ("api_resources", {"containing": "deploy"}, "apps/v1"),
        ("triage", here, "busybox:1.36.typo"),
        ("pods_list", here, "cart-"),
        ("pods_get", {**here, "name": talker}, "containerStatuses"),
        ("pods_log", {**here, "name": talker}, "password=[REDACTED]"),
        ("nodes_top", {}, "NODE"),
        ("events_list", {**here, "warnings_only": True}, "busybox:1.36.typo"),
        ("resources_list", {**here, "kind": "deploy"}, "cart"),
        ("resources_get", {**here, "kind": "Secret", "name": "login"}, "password: ''"),
        ("rollout_history", {**here, "name": "cart"}, "-> busybox:1.36.typo"),
        ("helm_list", here, "no releases"),
        (*proposed, "roll_back_rollout"),
        ("incidents_list", {"in_flight": True}, "cart"),
    ]
    answers = ask(healing, *[(tool, arguments) for tool, arguments, _ in calls])
    for (tool, _, expected), (told, failed) in zip(calls, answers, strict=True):
        assert not failed, (tool, told)
        assert expected in told, (tool, told)
        assert SECRET not in told, tool
        assert ENCODED not in told, tool
    incident = answers[-2][0].splitlines()[0].split(": ")[1]
    for tool in ("incidents_show", "incidents_similar"):
        assert not ask(healing, (tool, {"incident_id": incident}))[0][1]
    ((told, failed),) = ask(healing, ("pods_top", here))
    assert not failed, told


def test_proposal_waits_for_a_person_and_the_cluster_is_untouched(shop: Shop, healing: Healing) -> None:
    shop.change(IMAGE, "busybox:1.36.typo")
    shop.wait(lambda: is_named(shop))
    before = shop.read().raw["metadata"]["generation"]
    named = {"namespace": shop.cart.namespace, "kind": "Deployment", "name": "cart"}
    ((told, failed),) = ask(healing, ("propose_remedy", {**named, "reason": "nobody can buy"}))
    assert not failed, told
    incident = healing.ledger.incidents.get(told.splitlines()[0].split(": ")[1]).incident
    assert healing.start(incident) is None, "policy asks a person about it as about any other"
    assert healing.ledger.incidents.get(incident.id).incident.status is IncidentStatus.WAITING
    assert shop.read().raw["metadata"]["generation"] == before
    healing.answer(incident, Answer.REJECT, reason="not now")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert shop.image() == "busybox:1.36.typo"
