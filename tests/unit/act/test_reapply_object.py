"""A missing object is made again exactly as git says, or not at all, and nothing of a Secret is ever told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.act import ClusterContext, apply, preflight, undo, verify_undone
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.workspace import Manifests
from tasks.domain.cluster import KubeObject
from tasks.domain.cluster_state import MADE_FOR
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Action, Remedy
from tasks.errors import BadInputError, ConflictError, ForbiddenError, PermanentError, TransientError
from tests.fakes.kube import FakeConnection
from tests.unit.act.clusters import action_on, context_for, raw
from tests.unit.clients.workspace.repositories import commit_files, git

VALUE = "hunter2-hunter2"
FILES = {
    "ConfigMap": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it, labels: {app: cart}}\ndata: {eur: '1'}\n",
    "Service": "apiVersion: v1\nkind: Service\nmetadata: {name: it}\nspec: {selector: {app: cart}, ports: [{port: 80}]}\n",
    "Secret": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: it, namespace: shop}}\nstringData: {{password: {VALUE}}}\n",
}
KINDS = pytest.mark.parametrize("kind", sorted(FILES))
PATHS = {kind: f"/api/v1/namespaces/shop/{kind.lower()}s/it" for kind in FILES}


class Quoting(FakeConnection):
    """An API server that says no, and quotes what it was sent; it lets nobody read a Secret."""

    error: type[Exception] | None = None

    def request(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        assert (method, path.rpartition("/")[0]) != ("GET", "/api/v1/namespaces/shop/secrets")
        if method == "POST" and self.error is not None:
            raise self.error(f"admission webhook denied {rest['body']}")
        return super().request(method, path, **rest)


class Gone:
    """A repository that describes an object which the cluster no longer has."""

    def __init__(self, root: Path, kind: str, *there: dict[str, Any], **settings: Any) -> None:
        self.root, self.kind = root, kind
        git(root, "init", "--quiet", "--initial-branch", "main")
        self.commit = commit_files(root, "Add", {"it.yaml": FILES[kind]})
        self.server = Quoting(*there)
        self._settings = settings

    def action(self, **more: str) -> Action:
        place = {"commit": self.commit, "path": "it.yaml", "manifest_namespace": ""}
        if self.kind == "Secret":
            place["manifest_namespace"] = "shop"
        absent = KubeObject(raw=raw(self.kind, "it"))
        return action_on(Remedy.REAPPLY_OBJECT, absent, **{**place, **more})

    def context(self, action: Action) -> ClusterContext:
        context = context_for(Cluster(self.server), action, **self._settings)
        return ClusterContext(context.cluster, context.incident, context.plan, context.settings, self.manifests)

    def manifests(self) -> Manifests:
        tip = git(self.root, "rev-parse", "HEAD").strip()
        return Manifests(repository=self.root, branch="main", commit=tip, folder="", render=lambda _: ())

    @property
    def made(self) -> dict[str, Any]:
        return self.server.objects[PATHS[self.kind]]

    def untouched(self) -> bool:
        return self.server.writes == []


@KINDS
def test_manifest_altered_since_the_plan_voids_it(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind)
    action = gone.action()
    altered = FILES[kind].replace("cart", "basket").replace(VALUE, "other")
    commit_files(tmp_path, "Alter", {"it.yaml": altered})
    with pytest.raises(ConflictError, match=r"the plan is void.*changed on main since") as told:
        preflight(gone.context(action), action)
    assert VALUE not in str(told.getrepr(chain=True))
    assert gone.untouched()


@KINDS
def test_object_that_is_there_by_now_voids_the_plan(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind, raw(kind, "it"))
    action = gone.action()
    with pytest.raises(ConflictError, match=r"the plan is void.*is there by now"):
        preflight(gone.context(action), action)
    assert gone.untouched()


@KINDS
def test_object_that_came_after_the_preflight_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind)
    action = gone.action()
    image = preflight(gone.context(action), action)
    gone.server.keep(raw(kind, "it", data={"theirs": "1"}))
    with pytest.raises(ConflictError, match="is there by now"):
        apply(gone.context(action), action, image)
    assert gone.untouched()
    assert gone.made["data"] == {"theirs": "1"}


def test_manifest_for_another_namespace_is_refused(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "Secret")
    action = gone.action(manifest_namespace="pay")
    with pytest.raises(PermanentError, match="for the namespace pay, not shop"):
        preflight(gone.context(action), action)
    assert gone.untouched()


@pytest.mark.parametrize("settings", [{"protected_namespaces": ("shop",)}, {"namespaces": ("pay",)}])
def test_nothing_is_made_in_a_namespace_that_may_not_be_changed(tmp_path: Path, settings: Any) -> None:
    gone = Gone(tmp_path, "ConfigMap", **settings)
    action = gone.action()
    with pytest.raises(ForbiddenError):
        preflight(gone.context(action), action)
    with pytest.raises(ForbiddenError):
        apply(gone.context(action), action, "{}")
    assert gone.untouched()


def test_plan_that_was_made_while_it_was_there_is_void(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "ConfigMap")
    action = gone.action(state="c" * 64)
    with pytest.raises(ConflictError, match="made while"):
        preflight(gone.context(action), action)
    assert gone.untouched()


@pytest.mark.parametrize(("field", "value"), [("commit", "main"), ("commit", "HEAD~1"), ("path", ""), ("more", "x")])
def test_parameters_that_name_no_place_are_refused(tmp_path: Path, field: str, value: str) -> None:
    gone = Gone(tmp_path, "ConfigMap")
    action = gone.action(**{field: value})
    with pytest.raises(PermanentError, match="are refused"):
        preflight(gone.context(action), action)
    assert gone.untouched()


def test_kind_that_is_no_configuration_is_not_made(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "ConfigMap")
    action = gone.action(kind="Role")
    with pytest.raises(PermanentError, match="not for a Role"):
        preflight(gone.context(action), action)
    assert gone.untouched()


@pytest.mark.parametrize("error", [BadInputError, ForbiddenError, TransientError])
def test_what_the_api_server_quotes_of_a_secret_is_not_told(tmp_path: Path, error: type[Exception]) -> None:
    gone = Gone(tmp_path, "Secret")
    gone.server.error = error
    action = gone.action()
    wanted = error if error is not BadInputError else PermanentError
    with pytest.raises(wanted) as told:
        preflight(gone.context(action), action)
    assert VALUE not in str(told.getrepr(chain=True))
    assert gone.untouched()


def test_what_the_api_server_says_of_a_config_map_is_told(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "ConfigMap")
    gone.server.error = BadInputError
    action = gone.action()
    with pytest.raises(BadInputError, match="admission webhook"):
        preflight(gone.context(action), action)


@KINDS
def test_object_is_tried_first_made_once_as_git_says_and_taken_back(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind)
    action = gone.action()
    context = gone.context(action)
    image = preflight(context, action)
    assert gone.untouched()
    assert gone.server.dry_runs == [("POST", PATHS[kind].rpartition("/")[0])]
    done = apply(context, action, image)
    assert done.status is ActionStatus.APPLIED
    assert gone.made["metadata"]["annotations"] == {MADE_FOR: context.incident.id}
    wanted = gone.manifests().read(gone.manifests().find_all()[0])
    assert {key: gone.made[key] for key in wanted if key != "metadata"} == {
        key: value for key, value in wanted.items() if key != "metadata"
    }
    assert gone.made["metadata"].get("labels") == wanted["metadata"].get("labels")
    assert not verify_undone(context, done)
    undone = undo(context, action, done)
    assert PATHS[kind] not in gone.server.objects
    assert verify_undone(context, undone)
    assert undo(context, action, done).status is ActionStatus.UNDONE, "again is fine"
    told = action.model_dump_json() + image + done.model_dump_json() + undone.model_dump_json()
    assert VALUE not in told


@pytest.mark.parametrize("kind", ["ConfigMap", "Service"])
def test_interrupted_heal_takes_its_own_object_for_done(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind)
    action = gone.action()
    context = gone.context(action)
    apply(context, action, preflight(context, action))
    again = apply(context, action, preflight(context, action))
    assert again.status is ActionStatus.ALREADY_APPLIED
    assert len(gone.server.writes) == 1


def test_secret_that_is_there_after_an_interrupted_attempt_is_done_and_never_deleted_on_a_guess(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "Secret")
    action = gone.action()
    context = gone.context(action)
    apply(context, action, preflight(context, action))
    resumed = replace(context, begun=True)
    again = apply(resumed, action, preflight(resumed, action))
    assert again.status is ActionStatus.ALREADY_APPLIED
    assert VALUE not in again.model_dump_json()
    assert len(gone.server.writes) == 1
    with pytest.raises(ConflictError, match="is not known"):
        undo(resumed, action, again)
    assert PATHS["Secret"] in gone.server.objects


@pytest.mark.parametrize("kind", ["ConfigMap", "Service"])
def test_what_can_be_read_is_never_taken_for_ours_unless_it_says_so(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind, raw(kind, "it"))
    action = gone.action()
    with pytest.raises(ConflictError, match="is there by now"):
        preflight(replace(gone.context(action), begun=True), action)
    assert gone.untouched()


def test_secret_is_not_taken_for_ours_without_being_read(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "Secret")
    action = gone.action()
    context = gone.context(action)
    apply(context, action, preflight(context, action))
    with pytest.raises(ConflictError, match="is there by now"):
        preflight(context, action)
    assert len(gone.server.writes) == 1


@KINDS
def test_object_that_somebody_changed_since_is_not_deleted(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind)
    action = gone.action()
    context = gone.context(action)
    done = apply(context, action, preflight(context, action))
    gone.made["metadata"]["resourceVersion"] = "999"
    with pytest.raises(ConflictError, match="changed by somebody else since"):
        undo(context, action, done)
    assert PATHS[kind] in gone.server.objects


@KINDS
def test_object_that_was_made_anew_since_is_not_deleted(tmp_path: Path, kind: str) -> None:
    gone = Gone(tmp_path, kind)
    action = gone.action()
    context = gone.context(action)
    done = apply(context, action, preflight(context, action))
    del gone.server.objects[PATHS[kind]]
    gone.server.keep(raw(kind, "it"))
    assert verify_undone(context, undo(context, action, done))
    assert PATHS[kind] in gone.server.objects


def test_owner_of_before_is_not_named_again(tmp_path: Path) -> None:
    gone = Gone(tmp_path, "ConfigMap")
    exported = FILES["ConfigMap"].replace(
        "name: it", "name: it, uid: old, resourceVersion: '7', ownerReferences: [{kind: Deployment, name: x, uid: u}]"
    )
    gone.commit = commit_files(tmp_path, "Export", {"it.yaml": exported})
    action = gone.action()
    context = gone.context(action)
    apply(context, action, preflight(context, action))
    assert "ownerReferences" not in gone.made["metadata"]
    assert gone.made["metadata"]["uid"] != "old"
