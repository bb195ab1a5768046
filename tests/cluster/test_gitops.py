"""A fault of a real cluster whose fix is made in git: a commit on our branch, and the live object as it was."""

import copy
from pathlib import Path

import pytest
import yaml

from flows.undo import undo_heal
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.approval import Answer
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome
from tasks.settings import Settings
from tests.cluster.faults import deployment
from tests.cluster.shop import WELL, Shop
from tests.flows.healing import Healing
from tests.unit.clients.workspace.repositories import commit_files, git

pytestmark = [pytest.mark.cluster, pytest.mark.prefect]
IMAGE = "/spec/template/spec/containers/0/image"
TYPO = "busybox:1.36.typo"
COMMENT = "# the cart of the shop\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "manifests"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    monkeypatch.setenv("HEALFLOW_KUBERNETES__MANIFESTS__REPOSITORY", str(root))
    return root


class Kept:
    """A cart whose manifest and live object both were given a bad image."""

    def __init__(self, cluster: Cluster, namespace: str, healing: Healing, root: Path, labels: dict[str, str]) -> None:
        wanted = copy.deepcopy(deployment(WELL))
        wanted["metadata"]["labels"] = labels
        self.root, self.healing = root, healing
        self.shop = Shop(cluster, namespace, healing, wanted)
        self.shop.change(IMAGE, TYPO)
        wanted["spec"]["template"]["spec"]["containers"][0]["image"] = TYPO
        commit_files(root, "Bring the cart out", {"k8s/cart.yaml": COMMENT + yaml.safe_dump(wanted, sort_keys=False)})
        self.text = self.file("main")
        self.incident = self.shop.open_incident()
        self.generation = self.shop.read().raw["metadata"]["generation"]

    def file(self, branch: str) -> str:
        return git(self.root, "show", f"{branch}:k8s/cart.yaml")

    def branches(self) -> list[str]:
        return git(self.root, "branch", "--format=%(refname:short)").split()

    def heal(self, incident: Incident, answer: Answer = Answer.APPROVE) -> Outcome:
        assert self.healing.start(incident) is None, self.healing.story(incident)
        assert self.branches() == ["main"], "nothing is committed before the answer"
        self.healing.answer(incident, answer)
        outcome = self.healing.go_on(incident)
        assert outcome is not None
        return outcome

    def untouched(self) -> bool:
        live = self.shop.read()
        return self.shop.image() == TYPO and live.raw["metadata"]["generation"] == self.generation


@pytest.mark.parametrize("by", ["setting", "Argo CD"])
def test_fix_is_a_commit_on_our_branch_and_the_live_object_stays(
    cluster: Cluster, namespace: str, healing: Healing, repository: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    if by == "setting":
        monkeypatch.setenv("HEALFLOW_KUBERNETES__GITOPS", "branch")
    labels = {} if by == "setting" else {"argocd.argoproj.io/instance": "shop"}
    kept = Kept(cluster, namespace, healing, repository, labels)
    outcome = kept.heal(kept.incident)
    branch = f"healflow/{kept.incident.id}"
    assert outcome.status is IncidentStatus.OFFERED, outcome.summary
    assert outcome.action_names == ("change_manifest",)
    assert outcome.branch == branch
    assert "Not healed yet" in outcome.summary
    assert kept.file(branch) == kept.text.replace(TYPO, WELL["image"])
    assert kept.file("main") == kept.text
    assert kept.untouched()
    undo_heal(Settings(), kept.incident.id, by="ada")
    assert kept.branches() == ["main"]
    assert kept.untouched()


def test_rejected_fix_is_not_committed(
    cluster: Cluster, namespace: str, healing: Healing, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_KUBERNETES__GITOPS", "branch")
    kept = Kept(cluster, namespace, healing, repository, {})
    assert kept.heal(kept.incident, Answer.REJECT).status is IncidentStatus.REJECTED
    assert kept.branches() == ["main"]
    assert kept.untouched()
