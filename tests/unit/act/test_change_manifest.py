"""A fix in git is one commit on our branch, offered where people merge; the cluster and other branches stay."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.act import apply, preflight, undo, verify_undone
from tasks.act.context import ManifestContext
from tasks.clients.github import GithubClient
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.workspace import Manifests, Workspace
from tasks.domain.cluster import KubeObject
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Action, Plan, Remedy, patch_digest
from tasks.errors import ConflictError, ForbiddenError, PermanentError
from tasks.settings import KubernetesSettings, ManifestSettings
from tests.fakes.github import REPOSITORY, FakeGithub, serving
from tests.fakes.kube import FakeConnection
from tests.unit.act.clusters import action_on, incident_of, raw
from tests.unit.clients.github.conftest import client_of
from tests.unit.clients.workspace.repositories import commit_files, git

TEXT = "kind: Deployment\nimage: cart:2  # the image\n"
PATCH = (
    "diff --git a/cart.yaml b/cart.yaml\n--- a/cart.yaml\n+++ b/cart.yaml\n@@ -1,2 +1,2 @@\n kind: Deployment\n"
    "-image: cart:2  # the image\n+image: cart:1  # the image\n"
)
INCIDENT = incident_of()
BRANCH = f"healflow/{INCIDENT.id}"


class Shop:
    """A repository of manifests, here or on GitHub too, and the live object that one of them describes."""

    def __init__(self, folder: Path, github: FakeGithub | None = None, client: GithubClient | None = None) -> None:
        self.folder, self.root, self.github, self.client = folder, folder / "manifests", github, client
        self.root.mkdir()
        git(self.root, "init", "--quiet", "--initial-branch", "main")
        self.commit = self.put("cart.yaml", TEXT)
        self.server = FakeConnection(raw("Deployment", "cart", metadata={"generation": 3}, spec={"replicas": 1}))
        self.cart = KubeObject(raw=next(iter(self.server.objects.values())))

    def put(self, path: str, text: str) -> str:
        """Commit a file to main; GitHub holds the commit under the name that git gives it."""
        tip = commit_files(self.root, f"Write {path}", {path: text})
        if self.github is not None:
            before = self.github.refs.get("main")
            made = self.github.commit("main", {path: text})
            self.github.commits[tip] = {**self.github.commits[made], "parents": [before] if before else []}
            self.github.refs["main"] = tip
        return tip

    def action(self, *, offer: str = "", preview: str = PATCH, **more: str) -> Action:
        told = {
            "commit": self.commit,
            "base": "main",
            "files": "cart.yaml",
            "offer": offer or ("pull_request" if self.github else "branch"),
            "patch_sha256": patch_digest(PATCH),
            **more,
        }
        made = action_on(Remedy.CHANGE_MANIFEST, self.cart, **told)
        return made.model_copy(
            update={"preview": preview, "summary": "Give the cart its image again (in git: cart.yaml)"}
        )

    def context(self, action: Action, **settings: Any) -> ManifestContext:
        where = ManifestSettings(repository=REPOSITORY if self.github else str(self.root))
        tip = git(self.root, "rev-parse", "main").strip()
        plan = Plan(
            incident_id=INCIDENT.id,
            playbook="k8s.image.notfound",
            rationale="Because @ada changed it.",
            actions=(action,),
            target_state=self.commit,
        )
        return ManifestContext(
            workspace=Workspace(self.folder / "worktrees"),
            repository=self.root,
            incident=INCIDENT,
            plan=plan,
            github=self.client,
            cluster=Cluster(self.server),
            settings=KubernetesSettings(manifests=where, **settings),
            manifests=Manifests(repository=self.root, branch="main", commit=tip, folder="", render=lambda _: ()),
        )

    def branches(self) -> list[str]:
        return git(self.root, "branch", "--format=%(refname:short)").split()

    def file(self, branch: str) -> str:
        return git(self.root, "show", f"{branch}:cart.yaml")

    def untouched(self) -> bool:
        wrote = self.github is not None and bool(self.github.writes)
        return self.branches() == ["main"] and not wrote and self.server.writes == []


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("HOME", str(tmp_path))
    return Shop(tmp_path)


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving() as github, client_of(github) as client:
        yield Shop(tmp_path, github, client)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"preview": PATCH.replace("cart:1", "cart:9")}, "not the one that was planned"),
        ({"base": "other"}, "on another branch now"),
        ({"commit": "b" * 40}, "the plan is void"),
        ({"offer": "pull_request"}, "not on GitHub any more"),
        ({"offer": "merge"}, "are refused"),
        ({"state": "c" * 64}, "was changed since it was made"),
    ],
)
def test_what_was_not_planned_is_not_committed(shop: Shop, more: dict[str, str], why: str) -> None:
    action = shop.action(**more)
    with pytest.raises(PermanentError, match=why):
        preflight(shop.context(action), action)
    assert shop.untouched()


@pytest.mark.parametrize("settings", [{"protected_namespaces": ("shop",)}, {"namespaces": ("pay",)}])
def test_nothing_is_offered_for_a_namespace_that_may_not_be_changed(shop: Shop, settings: Any) -> None:
    action = shop.action()
    with pytest.raises(ForbiddenError):
        preflight(shop.context(action, **settings), action)
    with pytest.raises(ForbiddenError):
        apply(shop.context(action, **settings), action, "{}")
    assert shop.untouched()


def test_object_that_moved_or_went_voids_the_plan(shop: Shop) -> None:
    action = shop.action()
    (path,) = shop.server.objects
    shop.server.objects[path]["metadata"]["generation"] = 4
    with pytest.raises(ConflictError, match="was changed since"):
        preflight(shop.context(action), action)
    del shop.server.objects[path]
    with pytest.raises(ConflictError, match="is gone"):
        preflight(shop.context(action), action)
    assert shop.untouched()


def test_manifest_that_moved_voids_the_plan_and_another_file_does_not(shop: Shop) -> None:
    action = shop.action()
    shop.put("else.yaml", "a: 1\n")
    image = preflight(shop.context(action), action)
    shop.put("cart.yaml", TEXT.replace("cart:2", "cart:3"))
    with pytest.raises(ConflictError, match=r"cart\.yaml was changed on main since"):
        apply(shop.context(action), action, image)
    assert shop.untouched()


def test_fix_is_one_commit_on_our_branch_and_goes_again(shop: Shop) -> None:
    action = shop.action()
    context = shop.context(action)
    image = preflight(context, action)
    assert shop.untouched()
    done = apply(context, action, image)
    again = apply(context, action, preflight(context, action))
    assert (done.status, again.status) == (ActionStatus.APPLIED, ActionStatus.ALREADY_APPLIED)
    assert done.message == f"{BRANCH} waits to be merged into main"
    assert shop.file(BRANCH) == TEXT.replace("cart:2", "cart:1")
    assert shop.file("main") == TEXT
    assert git(shop.root, "rev-list", "--count", f"main..{BRANCH}").strip() == "1"
    assert shop.server.writes == [], "the cluster is only read"
    assert not verify_undone(context, done)
    undone = undo(context, action, done)
    assert verify_undone(context, undone)
    assert shop.branches() == ["main"]


def test_branch_that_somebody_went_on_with_is_not_deleted(shop: Shop) -> None:
    action = shop.action()
    context = shop.context(action)
    done = apply(context, action, preflight(context, action))
    context.workspace.remove(shop.root, context.worktree_name)
    git(shop.root, "switch", "--quiet", BRANCH)
    commit_files(shop.root, "More", {"more.yaml": "a: 1\n"})
    git(shop.root, "switch", "--quiet", "main")
    with pytest.raises(ConflictError, match="left as it is"):
        undo(context, action, done)
    assert BRANCH in shop.branches()


def test_patch_that_does_not_apply_leaves_nothing(shop: Shop) -> None:
    other = PATCH.replace("-image: cart:2", "-image: cart:7")
    action = shop.action(preview=other, patch_sha256=patch_digest(other))
    context = shop.context(action)
    failed = apply(context, action, preflight(context, action))
    assert failed.status is ActionStatus.FAILED
    assert shop.untouched()
    assert verify_undone(context, undo(context, action, failed))


def test_pull_request_is_opened_and_closed_again(hosted: Shop) -> None:
    assert hosted.github is not None
    action = hosted.action()
    context = hosted.context(action)
    done = apply(context, action, preflight(context, action))
    (opened,) = hosted.github.pulls.values()
    assert (opened["head"]["ref"], opened["base"]["ref"], opened["state"]) == (BRANCH, "main", "open")
    assert hosted.github.file(hosted.github.refs[BRANCH], "cart.yaml") == TEXT.replace("cart:2", "cart:1").encode()
    assert "Because @\u200bada changed it." in opened["body"], "nobody is notified"
    assert "waits to be merged into main" in done.message
    assert hosted.github.refs["main"] == hosted.commit
    apply(context, action, preflight(context, action))
    assert len(hosted.github.pulls) == 1
    undone = undo(context, action, done)
    assert verify_undone(context, undone)
    assert BRANCH not in hosted.github.refs
    assert opened["state"] == "closed"
    assert hosted.branches() == ["main"]


def test_branch_alone_is_offered_where_that_is_wanted(hosted: Shop) -> None:
    assert hosted.github is not None
    action = hosted.action(offer="branch")
    context = hosted.context(action)
    done = apply(context, action, preflight(context, action))
    assert BRANCH in hosted.github.refs
    assert hosted.github.pulls == {}
    assert f"the branch {BRANCH} of {REPOSITORY} waits" in done.message
    assert verify_undone(context, undo(context, action, done))


def test_refused_pull_request_leaves_nothing_behind(hosted: Shop) -> None:
    assert hosted.github is not None
    hosted.github.fail("POST", r".*/pulls", 422, times=9)
    action = hosted.action()
    context = hosted.context(action)
    failed = apply(context, action, preflight(context, action))
    assert failed.status is ActionStatus.FAILED
    undone = undo(context, action, failed)
    assert verify_undone(context, undone)
    assert BRANCH not in hosted.github.refs
    assert hosted.branches() == ["main"]


def test_branch_of_somebody_else_is_not_taken_over(hosted: Shop) -> None:
    assert hosted.github is not None
    theirs = hosted.github.commit(BRANCH, {"cart.yaml": "theirs\n"})
    action = hosted.action()
    context = hosted.context(action)
    failed = apply(context, action, preflight(context, action))
    assert failed.status is ActionStatus.FAILED
    assert "not ours" in failed.message
    undo(context, action, failed)
    assert hosted.github.refs[BRANCH] == theirs
