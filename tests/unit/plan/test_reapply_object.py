"""A missing object is planned to be made again where exactly one manifest in git describes it."""

from pathlib import Path

import pytest

from tasks.domain.cluster import ClusterSnapshot, KubeObject, Manifest, ObjectRef
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Plan, Remedy
from tasks.plan.cluster import draft_cluster_plan
from tasks.plan.cluster.in_git import with_manifests
from tasks.settings import KubernetesSettings, ManifestSettings, Settings
from tests.unit.act.clusters import incident_of, raw
from tests.unit.clients.workspace.repositories import commit_files, git

COMMIT = "a" * 40


def manifest(kind: str = "ConfigMap", namespace: str = "", path: str = "k8s/it.yaml") -> Manifest:
    return Manifest(ref=ObjectRef(kind=kind, namespace=namespace, name="it"), commit=COMMIT, path=path)


def planned(found: F, kind: str, *manifests: Manifest, there: bool = False) -> Plan:
    ref = ObjectRef(kind=kind, namespace="shop", name="it")
    diagnosis = Diagnosis(failure_class=found, cause="c", evidence_ids=("E1",), confidence=0.9, fingerprint="ab" * 10)
    objects = (KubeObject(raw=raw(kind, "it")),) if there else ()
    snapshot = ClusterSnapshot(objects=objects, manifests=manifests)
    return draft_cluster_plan(incident_of(), ClusterCause(diagnosis=diagnosis, target=ref), snapshot)


@pytest.mark.parametrize(
    ("kind", "manifests", "there", "why"),
    [
        ("ConfigMap", (), False, "no manifests in git are known"),
        ("ConfigMap", (manifest("Secret"),), False, "no manifests in git describe ConfigMap/shop/it"),
        ("ConfigMap", (manifest(namespace="pay"),), False, "no manifests in git describe"),
        ("ConfigMap", (manifest(), manifest(path="other.yaml")), False, "2 manifests in git describe"),
        ("ConfigMap", (manifest(),), True, "is there"),
        ("PersistentVolumeClaim", (manifest("PersistentVolumeClaim"),), False, "is not made again"),
    ],
)
def test_what_git_does_not_surely_describe_is_reported(
    kind: str, manifests: tuple[Manifest, ...], there: bool, why: str
) -> None:
    plan = planned(F.K8S_MOUNT, kind, *manifests, there=there)
    assert [action.name for action in plan.actions] == [Remedy.REPORT_ONLY]
    assert why in plan.rationale


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (F.K8S_MOUNT, "ConfigMap"),
        (F.K8S_MOUNT, "Secret"),
        (F.K8S_CERT, "Secret"),
        (F.K8S_CRASH_DEP, "Service"),
        (F.K8S_SVC_SELECTOR, "Service"),
    ],
)
@pytest.mark.parametrize("namespace", ["", "shop"])
def test_missing_object_is_made_again_from_where_git_describes_it(found: F, kind: str, namespace: str) -> None:
    plan = planned(found, kind, manifest(kind, namespace))
    (action,) = plan.actions
    assert action.name == Remedy.REAPPLY_OBJECT
    assert action.target == f"{kind}/shop/it"
    assert (action.parameters["commit"], action.parameters["path"]) == (COMMIT, "k8s/it.yaml")
    assert action.parameters["manifest_namespace"] == namespace
    assert plan.target_state == action.parameters["state"]


def settings_for(tmp_path: Path, repository: Path) -> Settings:
    manifests = ManifestSettings(repository=str(repository))
    return Settings(home=tmp_path / "home", kubernetes=KubernetesSettings(manifests=manifests))


def test_manifests_that_cannot_be_read_are_told_and_missed(tmp_path: Path) -> None:
    told: list[str] = []
    known = with_manifests(settings_for(tmp_path, tmp_path / "gone"), ClusterSnapshot(), tell=told.append)
    assert known.manifests == ()
    assert len(told) == 1
    assert "gone cannot be read" in told[0]


def test_manifests_of_the_settings_are_known(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    tip = commit_files(root, "Add", {"k8s/it.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\n"})
    known = with_manifests(settings_for(tmp_path, root), ClusterSnapshot(), tell=pytest.fail)
    assert known.manifests == (manifest().model_copy(update={"commit": tip}),)


def test_without_the_setting_nothing_is_asked(tmp_path: Path) -> None:
    snapshot = ClusterSnapshot()
    assert with_manifests(Settings(home=tmp_path), snapshot, tell=pytest.fail) is snapshot
