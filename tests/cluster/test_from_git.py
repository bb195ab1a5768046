"""Missing objects, made again on a real cluster as a repository describes them, through the heal flow."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployments.demo.project import DemoRepository
from flows.deploy_incidents import open_refused
from flows.undo import undo_heal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.cluster import ObjectRef
from tasks.domain.incident import IncidentStatus
from tasks.errors import NotFoundError
from tasks.rollout.steps import preview_release
from tests.cluster.faults import READY, SERVER, container, deployment, env_from, job, manifest, service
from tests.cluster.shop import Shop
from tests.cluster.test_rights import kubeconfig as kubeconfig  # noqa: PLC0414  a fixture
from tests.flows.healing import Healing
from tests.unit.clients.workspace.repositories import commit_files, git

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
VALUE = "hunter2-hunter2-hunter2"
PRICES = manifest("ConfigMap", "prices", data={"p": "# what it costs\neur: 1\n"})
LOGIN = manifest("Secret", "login", stringData={"p": VALUE})


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "manifests"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    files = {"k8s/prices.yaml": PRICES, "k8s/login.yaml": LOGIN, "k8s/stock.yaml": service("stock", "stock")}
    commit_files(root, "Describe the shop", {path: yaml.safe_dump(one) for path, one in files.items()})
    monkeypatch.setenv("HEALFLOW_KUBERNETES__MANIFESTS__REPOSITORY", str(root))
    monkeypatch.setenv("HEALFLOW_KUBERNETES__MANIFESTS__FOLDER", "k8s")
    return root


@pytest.fixture
def healing(
    prefect_server: None, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Healing]:
    monkeypatch.setenv("HEALFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEALFLOW_KUBERNETES__STABLE_SECONDS", "4")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEAL_TIMEOUT_SECONDS", "60")
    yield Healing(DemoRepository(tmp_path / "none"))


def needy(kind: str, namespace: str) -> dict[str, Any]:
    if kind == "Service":
        waits = f"until nslookup stock.{namespace}.svc.cluster.local; do sleep 1; done"
        init = {**container(waits), "name": "wait"}
        return deployment(container(), name="till", initContainers=[init])
    name, field = ("prices", "configMapKeyRef") if kind == "ConfigMap" else ("login", "secretKeyRef")
    return deployment(env_from(name, field, key="p"), name="till")


NAMES = {"ConfigMap": "prices", "Secret": "login", "Service": "stock"}


def broken(cluster: Cluster, namespace: str, healing: Healing, kind: str) -> tuple[Shop, ObjectRef]:
    """A till that cannot start without an object that is not there, beside the stock that works."""
    stock = deployment(container(SERVER, readinessProbe=READY), name="stock")
    shop = Shop(cluster, namespace, healing, stock)
    shop.create(needy(kind, namespace))
    return shop, ObjectRef(kind=kind, namespace=namespace, name=NAMES[kind])


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_missing_object_is_made_again_as_git_says(
    cluster: Cluster, namespace: str, healing: Healing, kind: str, tmp_path: Path
) -> None:
    shop, ref = broken(cluster, namespace, healing, kind)
    outcome = shop.heal(shop.open_incident())
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("reapply_object",)
    path = f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{ref.name}"
    made = cluster.connection.request("GET", path)
    if kind == "ConfigMap":
        assert made["data"] == PRICES["data"]
    elif kind == "Secret":
        assert made["data"] == {"p": "aHVudGVyMi1odW50ZXIyLWh1bnRlcjI="}
    else:
        assert made["spec"]["selector"] == {"app": "stock"}
    kept = [file for file in (tmp_path / "home").rglob("*") if file.is_file()]
    assert any(file.name == "ledger.db" for file in kept)
    for value in (VALUE.encode(), b"aHVudGVyMi1odW50ZXIyLWh1bnRlcjI="):
        assert [str(file) for file in kept if value in file.read_bytes()] == []


def test_nothing_is_made_before_the_answer_nor_after_a_no(cluster: Cluster, namespace: str, healing: Healing) -> None:
    shop, ref = broken(cluster, namespace, healing, "ConfigMap")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.REJECT, reason="a person looks at it")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    with pytest.raises(NotFoundError):
        shop.read(ref)


def test_what_policy_denies_is_not_made(
    cluster: Cluster, namespace: str, healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, ref = broken(cluster, namespace, healing, "ConfigMap")
    incident = shop.open_incident()
    monkeypatch.setenv("HEALFLOW_KILL_SWITCH", "true")
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.DENIED, outcome.summary
    with pytest.raises(NotFoundError):
        shop.read(ref)


def test_manifest_that_moved_while_the_plan_waited_makes_nothing(
    cluster: Cluster, namespace: str, healing: Healing, repository: Path
) -> None:
    shop, ref = broken(cluster, namespace, healing, "ConfigMap")
    incident = shop.open_incident()
    assert healing.start(incident) is None
    commit_files(repository, "Raise", {"k8s/prices.yaml": yaml.safe_dump({**PRICES, "data": {"p": "2"}})})
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "was changed on main since" in outcome.summary
    with pytest.raises(NotFoundError):
        shop.read(ref)


def test_secret_is_made_by_accounts_that_may_read_none(
    cluster: Cluster, namespace: str, healing: Healing, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("HEALFLOW_KUBERNETES__CONTEXT", "observer")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__HEALER_CONTEXT", "healer")
    shop, ref = broken(cluster, namespace, Healing(healing.repository), "Secret")
    outcome = shop.heal(shop.open_incident())
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("reapply_object",)
    assert shop.read(ref).raw["data"] == {"p": ""}


class Killed(BaseException):
    """Stands for the death of the process: nothing of ours catches it."""


def die(*_arguments: object, **_more: object) -> None:
    raise Killed


@pytest.mark.parametrize("at", ["tasks.clients.ledger.memory.Memory.complete", "tasks.verify.task.verify_cluster"])
def test_heal_of_a_secret_that_is_killed_after_it_was_made_goes_on(
    cluster: Cluster, namespace: str, healing: Healing, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    shop, ref = broken(cluster, namespace, healing, "Secret")
    incident = shop.open_incident()
    assert healing.start(incident) is None, healing.story(incident)
    healing.answer(incident, Answer.APPROVE)
    with monkeypatch.context() as dying:
        dying.setattr(at, die)
        with pytest.raises(Killed):
            healing.go_on(incident)
    made = shop.read(ref).raw["metadata"]["uid"]
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert shop.read(ref).raw["metadata"]["uid"] == made, "it was made once"


def test_job_that_cannot_get_its_image_is_made_again_with_the_one_in_git(
    cluster: Cluster, namespace: str, healing: Healing, repository: Path
) -> None:
    shop = Shop(cluster, namespace, healing)
    ref = ObjectRef(kind="Job", namespace=namespace, name="import")
    shop.create(job(container("echo one", image="busybox:1.36.typo")))
    commit_files(repository, "Mend", {"k8s/import.yaml": yaml.safe_dump(job(container("echo one")))})
    outcome = shop.heal(shop.open_incident())
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("recreate_job",)
    assert "image of app from busybox:1.36.typo to busybox:1.36" in outcome.summary
    assert shop.read(ref).condition("Complete").get("status") == "True"


def placed(one: dict[str, Any], namespace: str) -> dict[str, Any]:
    return {**one, "metadata": {**one["metadata"], "namespace": namespace}}


def test_job_that_cannot_be_changed_is_made_again_as_git_has_it(
    cluster: Cluster, namespace: str, healing: Healing, repository: Path
) -> None:
    shop = Shop(cluster, namespace, healing)
    ref = ObjectRef(kind="Job", namespace=namespace, name="import")
    cluster.apply(placed(job(container("echo one")), namespace))
    shop.wait(lambda: shop.read(ref).condition("Complete").get("status") == "True")
    old = shop.read(ref)
    wanted = job(container("echo two"))
    commit = commit_files(repository, "Import two", {"k8s/import.yaml": yaml.safe_dump(wanted)})
    refused = preview_release(healing.settings.kubernetes, (placed(wanted, namespace),)).refused
    assert "field is immutable" in refused[0].message
    (incident,) = open_refused(healing.settings, refused, commit=commit, now=datetime.now(UTC))
    assert healing.start(incident) is None, healing.story(incident)
    assert shop.read(ref).raw["metadata"]["uid"] == old.raw["metadata"]["uid"], "nothing is deleted before the answer"
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == ("recreate_job",)
    made = shop.read(ref)
    assert made.pod_spec["containers"][0]["command"] == ["sh", "-c", "echo two"]
    assert made.condition("Complete").get("status") == "True"
    undo_heal(healing.settings, incident.id, by="ada")
    back = shop.read(ref)
    assert back.pod_spec["containers"][0]["command"] == ["sh", "-c", "echo one"]
    assert back.spec["suspend"] is True
    assert not back.status.get("active")


def test_job_is_not_deleted_after_a_no(cluster: Cluster, namespace: str, healing: Healing, repository: Path) -> None:
    shop = Shop(cluster, namespace, healing)
    ref = ObjectRef(kind="Job", namespace=namespace, name="import")
    shop.create(job(container("echo failed; exit 1")))
    shop.wait(lambda: shop.read(ref).condition("Failed").get("status") == "True")
    commit_files(repository, "Mend it", {"k8s/import.yaml": yaml.safe_dump(job(container("echo well")))})
    incident = shop.open_incident()
    assert healing.start(incident) is None
    plan = healing.story(incident).plan
    assert plan is not None
    assert plan.actions[0].name == "recreate_job", plan.rationale
    uid = shop.read(ref).raw["metadata"]["uid"]
    healing.answer(incident, Answer.REJECT, reason="not now")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert shop.read(ref).raw["metadata"]["uid"] == uid
