"""Faults planted on a real cluster, a namespace each: the right class and object come first, and nothing where all is well."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app
from flows.explain_cluster import explain_live_cluster, explain_snapshot, save_cluster
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.settings import KubernetesSettings
from tests.cluster.faults import CHATTY, FAULTS, HEALTHY, Fault

pytestmark = [pytest.mark.cluster]
WAIT_SECONDS = 120


class Planted:
    """A namespace per fault, and the explanation of each once it shows."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._suffix = cluster, uuid.uuid4().hex[:6]
        self._made: dict[str, str] = {}
        self._found: dict[str, ClusterExplanation] = {}
        self._until = time.monotonic() + WAIT_SECONDS

    def plant(self, fault: Fault) -> None:
        name = self.namespace(fault.name)
        made = self._cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._made[name] = str(made.raw["metadata"]["uid"])
        for manifest in fault.objects:
            metadata = {"namespace": name, **manifest["metadata"]}
            self._cluster.create({**manifest, "metadata": metadata})

    def namespace(self, name: str) -> str:
        return f"hf-{name}-{self._suffix}"

    def explain(self, fault: Fault) -> ClusterExplanation:
        """Read until the fault shows, as it takes the kubelet its time."""
        if fault.name not in self._found:
            while True:
                found = explain(self.namespace(fault.name))
                top = found.causes[0].diagnosis.failure_class if found.causes else None
                if top == fault.expected or time.monotonic() > self._until:
                    break
                time.sleep(2)
            self._found[fault.name] = found
        return self._found[fault.name]

    def remove(self) -> None:
        for name, uid in self._made.items():
            self._cluster.delete(ObjectRef(kind="Namespace", name=name), uid=uid)


def explain(namespace: str) -> ClusterExplanation:
    return explain_live_cluster(KubernetesSettings(), namespace=namespace, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def planted(cluster: Cluster) -> Iterator[Planted]:
    made = Planted(cluster)
    try:
        for fault in (HEALTHY, CHATTY, *FAULTS):
            made.plant(fault)
        yield made
    finally:
        made.remove()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_planted_fault_comes_first_with_the_object_that_must_change(planted: Planted, fault: Fault) -> None:
    found = planted.explain(fault)
    said = [(cause.diagnosis.failure_class, str(cause.target), cause.diagnosis.cause) for cause in found.causes]
    assert said, found.evidence.unreadable
    assert said[0][0] == fault.expected, said
    assert f"{found.causes[0].target.kind}/{found.causes[0].target.name}" in fault.targets, said
    assert found.causes[0].diagnosis.evidence_ids


def test_healthy_namespace_yields_nothing(planted: Planted) -> None:
    namespace = planted.namespace(HEALTHY.name)
    deadline = time.monotonic() + 60
    while (found := explain(namespace)).causes and time.monotonic() < deadline:
        time.sleep(2)
    assert found.causes == ()
    done = CliRunner().invoke(app, ["triage", "--namespace", namespace])
    assert done.exit_code == 0
    assert "Nothing wrong was found" in done.output


def test_snapshot_folder_leads_to_the_same_causes(planted: Planted, tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "no-env")
    planted.explain(fault)
    namespace = planted.namespace(fault.name)
    settings, folder = KubernetesSettings(), tmp_path / "state"
    save_cluster(settings, folder, namespace=namespace, now=datetime.now(UTC), version="test", tell=lambda _: None)
    live, read = explain(namespace), explain_snapshot(folder, namespace=namespace)
    assert [(c.target, c.diagnosis.failure_class) for c in read.causes] == [
        (c.target, c.diagnosis.failure_class) for c in live.causes
    ]
    assert read.causes


def test_complaint_before_the_kept_end_of_a_log_is_in_the_snapshot_too(planted: Planted, tmp_path: Path) -> None:
    namespace, settings, folder = planted.namespace(CHATTY.name), KubernetesSettings(), tmp_path / "state"
    deadline = time.monotonic() + WAIT_SECONDS
    while not _complains(live := explain(namespace)) and time.monotonic() < deadline:
        time.sleep(2)
    assert _complains(live)
    save_cluster(settings, folder, namespace=namespace, now=datetime.now(UTC), version="test", tell=lambda _: None)
    read = explain_snapshot(folder, namespace=namespace)
    assert (read.causes, read.hints) == (live.causes, live.hints)


def _complains(found: ClusterExplanation) -> bool:
    return any("9 times in 2009 lines" in hint.diagnosis.cause for hint in found.hints)


def test_no_value_of_a_secret_is_written(planted: Planted, cluster: Cluster, tmp_path: Path) -> None:
    namespace = planted.namespace(HEALTHY.name)
    folder = tmp_path / "state"
    assert CliRunner().invoke(app, ["snapshot", "-n", namespace, "-o", str(folder)]).exit_code == 0
    written = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert '"name":"login"' in written
    assert "aHVudGVyMi1odW50ZXIy" not in written
    assert "hunter2" not in written


def test_folder_that_holds_something_is_not_written_over(planted: Planted, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = CliRunner().invoke(app, ["snapshot", "-n", planted.namespace(HEALTHY.name), "-o", str(tmp_path)])
    assert "is not empty" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_namespace_that_does_not_exist_is_said(cluster: Cluster) -> None:
    done = CliRunner().invoke(app, ["triage", "--namespace", "hf-absent"])
    assert done.exit_code == 1
    assert "there is no namespace 'hf-absent'" in str(done.exception)


def test_every_style_names_the_object(planted: Planted, tmp_path: Path) -> None:
    fault = next(fault for fault in FAULTS if fault.name == "no-config")
    planted.explain(fault)
    arguments = ["triage", "-n", planted.namespace(fault.name)]
    for style in ([], ["--json"], ["--markdown"], ["--sarif"]):
        done = CliRunner().invoke(app, [*arguments, *style, "--save", str(tmp_path)])
        assert done.exit_code == 0
        assert "prices" in done.output
    assert json.loads((tmp_path / "triage.sarif").read_text())["version"] == "2.1.0"
    assert {path.name for path in tmp_path.iterdir()} == {"triage.json", "triage.md", "triage.sarif"}
