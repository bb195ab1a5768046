"""A folder that the real `kubectl cluster-info dump` wrote is triaged as the cluster itself, in both of its formats."""

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app
from flows.explain_cluster import explain_live_cluster, explain_snapshot
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.failure_class import FailureClass as F
from tasks.settings import KubernetesSettings
from tests.cluster.faults import ENV_CRASH, SERVER, container, deployment, service

pytestmark = [pytest.mark.cluster]
EXPECTED = {(F.K8S_CRASH_ENV, "Deployment/checkout"), (F.K8S_SVC_SELECTOR, "Service/cart")}


def found_in(causes: object) -> set[tuple[F, str]]:
    return {(c.diagnosis.failure_class, f"{c.target.kind}/{c.target.name}") for c in getattr(causes, "causes", ())}


@pytest.fixture
def planted(cluster: Cluster, namespace: str) -> str:
    objects = (deployment(container(SERVER)), service("basket"), deployment(container(ENV_CRASH), name="checkout"))
    for raw in objects:
        cluster.create({**raw, "metadata": {"namespace": namespace, **raw["metadata"]}})
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        now = datetime.now(UTC)
        if found_in(explain_live_cluster(KubernetesSettings(), namespace=namespace, now=now)) == EXPECTED:
            break
        time.sleep(2)
    return namespace


@pytest.mark.parametrize("style", ["json", "yaml"])
@pytest.mark.parametrize("everything", [True, False], ids=["all namespaces", "one namespace"])
def test_dump_leads_to_the_planted_faults(planted: str, tmp_path: Path, style: str, everything: bool) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    where = ["--all-namespaces"] if everything else ["--namespace", planted]
    command = [
        "kubectl",
        "cluster-info",
        "dump",
        *where,
        "--output",
        style,
        "--output-directory",
        str(tmp_path / "dump"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    found = explain_snapshot(tmp_path / "dump", namespace=planted)
    assert found_in(found) == EXPECTED, [cause.diagnosis.cause for cause in found.causes]
    assert all(line.text for line in found.evidence.lines)
    done = CliRunner().invoke(app, ["triage", "--snapshot", str(tmp_path / "dump")])
    assert done.exit_code == 0
    assert "SHOP_REGION is not set" in done.output
