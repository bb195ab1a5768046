"""The plan for what git keeps: a patch of its manifest with no secret in it, or a report that says why not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.domain.cluster import KubeObject, ObjectRef
from tasks.domain.cluster_state import state_digest
from tasks.domain.gitops import GitopsMode
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.gitops import IntoGit
from tasks.settings import KubernetesSettings, ManifestSettings, Settings
from tests.fakes.kubernetes_api import FakeKubernetes, serving
from tests.unit.act.clusters import NOW, incident_of
from tests.unit.clients.workspace.repositories import commit_files, git

ARGO = {"argocd.argoproj.io/instance": "shop"}
CART = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart  # the cart
spec:
  replicas: 0
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
        - name: app
          image: shop/cart:2
          resources: {limits: {memory: 64Mi}}
          env:
            - name: REGION
              value: eu
            - name: API_TOKEN
              value: hunter2-hunter2
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec:\n  selector: {app: basket}\n"
LOGIN = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: correct-horse}\n"


class World:
    """A cluster with the cart as git describes it, and the repository that does."""

    def __init__(self, fake: FakeKubernetes, folder: Path) -> None:
        self.fake, self.folder, self.root = fake, folder, folder / "manifests"
        self.root.mkdir()
        git(self.root, "init", "--quiet", "--initial-branch", "main")
        self.commit = commit_files(self.root, "Describe", {"cart.yaml": CART, "service.yaml": SERVICE})
        self.add(CART)
        self.add(SERVICE)

    def add(self, text: str, kind: str = "", name: str = "", **metadata: Any) -> KubeObject:
        raw = yaml.safe_load(text)
        told = {"generation": 1, **metadata}
        self.fake.add(kind or raw["kind"], name or raw["metadata"]["name"], "shop", metadata=told, spec=raw["spec"])
        return KubeObject(raw=self.fake.objects[-1])

    def revision(self, **container: Any) -> KubeObject:
        """What the cart was before."""
        raw = yaml.safe_load(CART)
        pods = raw["spec"]["template"]["spec"]["containers"]
        pods[0] |= container
        owner = [{"kind": "Deployment", "name": "cart", "controller": True}]
        text = yaml.safe_dump({"spec": {"template": raw["spec"]["template"]}})
        return self.add(text, "ReplicaSet", "cart-1", ownerReferences=owner)

    def live(self, kind: str = "Deployment") -> KubeObject:
        raw = next(one for one in self.fake.objects if one["kind"] == kind)
        return KubeObject(raw=raw)

    def into_git(self, *similar: SimilarIncident, mode: GitopsMode = GitopsMode.BRANCH, **settings: Any) -> IntoGit:
        manifests = settings.pop("manifests", ManifestSettings(repository=str(self.root)))
        kubernetes = KubernetesSettings(
            kubeconfig=self.fake.kubeconfig(self.folder), manifests=manifests, gitops=mode, **settings
        )
        return IntoGit(Settings(home=self.folder / "home", kubernetes=kubernetes), incident_of(), similar)

    def draft(self, remedy: Remedy, kind: str = "Deployment", *similar: SimilarIncident, **parameters: Any) -> Action:
        target = self.live(kind)
        return self.into_git(*similar).draft(action_on(remedy, target, **parameters), target)


def action_on(remedy: Remedy, target: KubeObject, **parameters: Any) -> Action:
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
    identity = {"kind": target.kind, "namespace": target.namespace, "name": target.name, "state": state_digest(target)}
    parameters = {**identity, **told}
    return Action(
        name=remedy, target=str(target.ref), parameters=parameters, risk=Risk.MEDIUM, summary="Do it", undo="u"
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with serving(FakeKubernetes()) as fake:
        yield World(fake, tmp_path)


def lines_of(action: Action) -> list[str]:
    return [line for line in action.preview.splitlines() if line[:1] in ("+", "-") and line[:4] not in ("+++ ", "--- ")]


def offered(incident_id: str = "inc-before") -> SimilarIncident:
    return SimilarIncident(
        incident_id=incident_id, status=IncidentStatus.OFFERED, action_names=("change_manifest",), ended_at=NOW
    )


@pytest.mark.parametrize("remedy", [Remedy.DELETE_POD, Remedy.RESTART_ROLLOUT, Remedy.RECREATE_JOB])
def test_what_is_no_change_of_a_manifest_is_not_made_in_git(world: World, remedy: Remedy) -> None:
    with pytest.raises(Unfit, match="no change of a manifest"):
        world.draft(remedy)


def test_without_a_repository_the_setting_is_named(world: World) -> None:
    target = world.live()
    into = world.into_git(manifests=ManifestSettings())
    with pytest.raises(Unfit, match="MANIFESTS__REPOSITORY"):
        into.draft(action_on(Remedy.SCALE_WORKLOAD, target, replicas="2"), target)


def test_object_that_no_manifest_or_two_describe_is_reported(world: World) -> None:
    commit_files(world.root, "Twice", {"again.yaml": CART})
    with pytest.raises(Unfit, match="2 manifests in git describe"):
        world.draft(Remedy.SCALE_WORKLOAD, replicas="2")
    git(world.root, "rm", "--quiet", "again.yaml", "cart.yaml")
    git(world.root, "commit", "--quiet", "--message", "Remove")
    with pytest.raises(Unfit, match="no manifests in git describe"):
        world.draft(Remedy.SCALE_WORKLOAD, replicas="2")


def test_object_that_changed_while_the_plan_was_made_is_reported(world: World) -> None:
    target = world.live()
    action = action_on(Remedy.SCALE_WORKLOAD, target, replicas="2", state="c" * 64)
    with pytest.raises(Unfit, match="was changed while"):
        world.into_git().draft(action, target)


def test_drift_is_reported(world: World) -> None:
    commit_files(world.root, "Scale", {"cart.yaml": CART.replace("replicas: 0", "replicas: 5")})
    with pytest.raises(Unfit, match=r"says another spec\.replicas than the cluster"):
        world.draft(Remedy.SCALE_WORKLOAD, replicas="2")
    with pytest.raises(Unfit, match="has it so already"):
        world.draft(Remedy.SCALE_WORKLOAD, replicas="5")


def test_offer_that_waits_is_not_made_twice(world: World) -> None:
    git(world.root, "branch", "healflow/inc-before")
    git(world.root, "switch", "--quiet", "healflow/inc-before")
    commit_files(world.root, "Fix", {"cart.yaml": CART.replace("replicas: 0", "replicas: 2")})
    git(world.root, "switch", "--quiet", "main")
    with pytest.raises(Unfit, match="the fix of inc-before waits on the branch healflow/inc-before"):
        world.draft(Remedy.SCALE_WORKLOAD, "Deployment", offered(), replicas="2")
    git(world.root, "branch", "--quiet", "-D", "healflow/inc-before")
    assert world.draft(Remedy.SCALE_WORKLOAD, "Deployment", offered(), replicas="2")


def test_secret_beside_the_change_is_not_shown(world: World) -> None:
    beside = SERVICE.replace("metadata", "# it\nmetadata") + "---\n" + LOGIN
    commit_files(world.root, "Beside", {"service.yaml": beside})
    action = world.draft(
        Remedy.PATCH_SERVICE, "Service", operations=[{"path": "/spec/selector", "value": {"app": "cart"}}]
    )
    assert "correct-horse" not in action.model_dump_json()
    assert lines_of(action) == ["-  selector: {app: basket}", "+  selector: {app: cart}"]


def test_less_is_shown_around_a_change_beside_a_secret(world: World) -> None:
    revision = world.revision(
        env=[{"name": "REGION", "value": "us"}, {"name": "API_TOKEN", "value": "hunter2-hunter2"}]
    )
    uid = revision.raw["metadata"]["uid"]
    action = world.draft(Remedy.ROLL_BACK_ROLLOUT, revision="cart-1", revision_uid=uid)
    assert lines_of(action) == ["-              value: eu", "+              value: us"]
    assert "hunter2" not in action.model_dump_json()


def test_secret_that_would_have_to_be_shown_is_left_to_a_person(world: World) -> None:
    revision = world.revision(
        env=[{"name": "REGION", "value": "eu"}, {"name": "API_TOKEN", "value": "hunter1-hunter1"}]
    )
    uid = revision.raw["metadata"]["uid"]
    with pytest.raises(Unfit, match="a secret stands in the manifest") as told:
        world.draft(Remedy.ROLL_BACK_ROLLOUT, revision="cart-1", revision_uid=uid)
    assert "hunter" not in str(told.value)


@pytest.mark.parametrize(
    ("remedy", "parameters", "lines"),
    [
        (Remedy.SCALE_WORKLOAD, {"replicas": "2"}, ["-  replicas: 0", "+  replicas: 2"]),
        (
            Remedy.SIZE_RESOURCES,
            {"operations": [{"path": "/spec/template/spec/containers/0/resources/limits/memory", "value": "96Mi"}]},
            ["-          resources: {limits: {memory: 64Mi}}", "+          resources: {limits: {memory: 96Mi}}"],
        ),
        (
            Remedy.PATCH_WORKLOAD,
            {"places": [{"container": "app", "field": "image"}], "revision": "cart-1", "revision_uid": "ReplicaSet-shop-cart-1"},
            ["-          image: shop/cart:2", "+          image: shop/cart:1"],
        ),
        (
            Remedy.ROLL_BACK_ROLLOUT,
            {"revision": "cart-1", "revision_uid": "ReplicaSet-shop-cart-1"},
            ["-          image: shop/cart:2", "+          image: shop/cart:1"],
        ),
    ],
)  # fmt: skip
def test_same_change_is_a_patch_of_the_manifest(
    world: World, remedy: Remedy, parameters: dict[str, Any], lines: list[str]
) -> None:
    world.revision(image="shop/cart:1")
    action = world.draft(remedy, **parameters)
    assert lines_of(action) == lines
    assert action.name == Remedy.CHANGE_MANIFEST
    assert action.parameters["commit"] == world.commit
    assert (action.parameters["base"], action.parameters["files"]) == ("main", "cart.yaml")
    assert action.parameters["offer"] == "branch", "a repository here has no pull requests"
    assert "hunter2" not in action.model_dump_json()
    assert git(world.root, "status", "--porcelain") == ""
    assert git(world.root, "branch", "--format=%(refname:short)").split() == ["main"], "nothing is made yet"


@pytest.mark.parametrize(
    ("mode", "labels", "remedy", "wanted"),
    [
        (GitopsMode.OFF, {}, Remedy.SCALE_WORKLOAD, False),
        (GitopsMode.OFF, ARGO, Remedy.SCALE_WORKLOAD, True),
        (GitopsMode.OFF, ARGO, Remedy.DELETE_POD, True),
        (GitopsMode.BRANCH, {}, Remedy.SCALE_WORKLOAD, True),
        (GitopsMode.PULL_REQUEST, {}, Remedy.ROLL_BACK_ROLLOUT, True),
        (GitopsMode.BRANCH, {}, Remedy.DELETE_POD, False),
    ],
)
def test_what_belongs_into_git(
    world: World, mode: GitopsMode, labels: dict[str, str], remedy: Remedy, wanted: bool
) -> None:
    metadata = {"name": "cart", "namespace": "shop", "labels": labels}
    target = KubeObject(raw={"kind": "Deployment", "metadata": metadata})
    assert world.into_git(mode=mode).wanted_for(remedy, target) is wanted
    assert target.ref == ObjectRef(kind="Deployment", namespace="shop", name="cart")
