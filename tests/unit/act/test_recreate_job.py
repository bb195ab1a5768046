"""A Job that has ended is deleted and made again, once, and comes back as it was; one that runs is left alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.act import ClusterContext, apply, preflight, undo, verify_undone
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.workspace import Manifests
from tasks.domain.cluster import KubeObject
from tasks.domain.cluster_jobs import without_its_uid
from tasks.domain.cluster_state import MADE_FOR
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import BadInputError, ConflictError, ForbiddenError, PermanentError, TransientError
from tests.fakes.kube import FakeConnection, Raw
from tests.unit.act.clusters import action_on, context_for, owned_by, raw
from tests.unit.clients.workspace.repositories import commit_files, git

PATH = "/apis/batch/v1/namespaces/shop/jobs/import"
FAILED = {"conditions": [{"type": "Failed", "status": "True"}], "failed": 1}
LABELS = {
    "controller-uid": "u-old",
    "job-name": "import",
    "batch.kubernetes.io/controller-uid": "u-old",
    "app": "import",
}
DESCRIBED = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "import"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "import:2"}]}}},
}


class Batch(FakeConnection):
    """An API server that sees to Jobs as the real one does: it numbers them, and gives each its own selector."""

    refuses: str = ""
    lingers: bool = False

    def _post(self, path: str, body: Raw, _type: str) -> Raw:
        image = body["spec"]["template"]["spec"]["containers"][0]["image"]
        if image == self.refuses and not body["spec"].get("suspend"):
            raise BadInputError("the Job is invalid")
        assert "selector" not in body["spec"]
        assert "controller-uid" not in body["spec"]["template"].get("metadata", {}).get("labels", {})
        made = super()._post(path, body, _type)
        uid = made["metadata"]["uid"]
        made["metadata"]["generation"] = 1
        made["spec"]["selector"] = {"matchLabels": {"controller-uid": uid}}
        template = made["spec"]["template"]
        template["metadata"] = {"labels": {**template.get("metadata", {}).get("labels", {}), "controller-uid": uid}}
        return made

    def _delete(self, path: str, body: Raw, _type: str) -> Raw:
        kept = dict(self.objects)
        answer = super()._delete(path, body, _type)
        if self.lingers:
            self.objects = kept
        return answer


def job(image: str = "import:1", *, status: Any = None, spec: Any = None, **metadata: Any) -> Raw:
    template = {
        "metadata": {"labels": dict(LABELS), "creationTimestamp": None},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": image}]},
    }
    selector = {"matchLabels": {"controller-uid": "u-old"}}
    told = {"uid": "u-old", "generation": 1, "labels": dict(LABELS), **metadata}
    return raw(
        "Job",
        "import",
        metadata=told,
        apiVersion="batch/v1",
        spec={"backoffLimit": 0, "selector": selector, "template": template, **(spec or {})},
        status=FAILED if status is None else status,
    )


def waiting(reason: str = "ImagePullBackOff", **more: Any) -> Raw:
    """A pod of the Job whose container waits."""
    row = {"name": "app", "state": {"waiting": {"reason": reason}}, "restartCount": 0, **more}
    return raw(
        "Pod", "import-x", metadata=owned_by("Job", "import"), status={"phase": "Pending", "containerStatuses": [row]}
    )


def stuck(**status: Any) -> Raw:
    return job(status={"active": 1, "ready": 0, **status})


@pytest.mark.parametrize(
    ("there", "pods"),
    [
        pytest.param(stuck(), [], id="pods-not-known"),
        pytest.param(stuck(), [waiting("CrashLoopBackOff")], id="another-reason"),
        pytest.param(stuck(), [waiting(restartCount=1)], id="it-ran-before"),
        pytest.param(stuck(), [waiting(lastState={"terminated": {"exitCode": 1}})], id="it-ended-before"),
        pytest.param(stuck(), [waiting(state={"running": {}})], id="it-runs"),
        pytest.param(stuck(active=2), [waiting()], id="another-pod"),
        pytest.param(stuck(ready=1), [waiting()], id="one-is-ready"),
        pytest.param(stuck(succeeded=1), [waiting()], id="one-did-its-work"),
        pytest.param(stuck(), [{**waiting(), "status": {"phase": "Pending"}}], id="nothing-told"),
    ],
)
def test_job_that_may_have_worked_is_not_deleted(tmp_path: Path, there: Raw, pods: list[Raw]) -> None:
    ended = Ended(tmp_path, there)
    for pod in pods:
        ended.server.keep(pod)
    action = ended.action(from_git=True)
    with pytest.raises(PermanentError, match="its pods are running"):
        preflight(ended.context(action), action)
    assert ended.server.writes == []


def test_job_that_never_got_its_image_is_made_again_with_the_one_from_git(tmp_path: Path) -> None:
    ended = Ended(tmp_path, stuck())
    ended.server.keep(waiting())
    action = ended.action(from_git=True)
    done = apply(ended.context(action), action, preflight(ended.context(action), action))
    assert (done.status, ended.image) == (ActionStatus.APPLIED, "import:2")
    assert done.message.endswith(
        f"made again as import.yaml at {ended.commit[:12]} describes it (image of app from import:1 to import:2)"
    )


def test_job_that_gets_its_image_after_the_preflight_is_left_alone(tmp_path: Path) -> None:
    ended = Ended(tmp_path, stuck())
    ended.server.keep(waiting())
    action = ended.action(from_git=True)
    image = preflight(ended.context(action), action)
    ended.server.keep(waiting(state={"running": {}}))
    with pytest.raises(ConflictError, match="its pods are running"):
        apply(ended.context(action), action, image)
    assert (ended.server.writes, ended.image) == ([], "import:1")


class Ended:
    """A cluster with that Job, and a repository that describes another version of it."""

    def __init__(self, root: Path, there: Raw, **settings: Any) -> None:
        self.root = root
        git(root, "init", "--quiet", "--initial-branch", "main")
        self.commit = commit_files(root, "Add", {"import.yaml": yaml.safe_dump(DESCRIBED)})
        self.server = Batch(there)
        self._settings = settings

    def action(self, *, from_git: bool = False, **more: str) -> Action:
        place = {"commit": self.commit, "path": "import.yaml"} if from_git else {}
        return action_on(Remedy.RECREATE_JOB, KubeObject(raw=self.server.objects[PATH]), Risk.HIGH, **{**place, **more})

    def context(self, action: Action) -> ClusterContext:
        context = context_for(Cluster(self.server), action, **self._settings)
        return ClusterContext(context.cluster, context.incident, context.plan, context.settings, self.manifests)

    def manifests(self) -> Manifests:
        tip = git(self.root, "rev-parse", "HEAD").strip()
        return Manifests(repository=self.root, branch="main", commit=tip, folder="", render=lambda _: ())

    @property
    def live(self) -> Raw:
        return self.server.objects[PATH]

    @property
    def image(self) -> str:
        return str(self.live["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (job(status={"active": 1}), "its pods are running"),
        (job(status={**FAILED, "terminating": 1}), "its pods are running"),
        (job(status={}), "it has not ended"),
        (job(**owned_by("CronJob", "report")), "CronJob/shop/report makes it"),
        (job(deletionTimestamp="2026-01-01T00:00:00Z"), "being deleted already"),
        (job(labels={"argocd.argoproj.io/instance": "shop"}), "kept by Argo CD"),
    ],
)
@pytest.mark.parametrize("from_git", [False, True])
def test_job_that_is_not_ours_to_delete_is_left_alone(tmp_path: Path, there: Raw, why: str, from_git: bool) -> None:
    ended = Ended(tmp_path, there)
    action = ended.action(from_git=from_git)
    with pytest.raises(PermanentError, match=why):
        preflight(ended.context(action), action)
    assert ended.server.writes == []


@pytest.mark.parametrize("settings", [{"protected_namespaces": ("shop",)}, {"namespaces": ("pay",)}])
def test_nothing_is_deleted_in_a_namespace_that_may_not_be_changed(tmp_path: Path, settings: Any) -> None:
    ended = Ended(tmp_path, job(), **settings)
    action = ended.action()
    with pytest.raises(ForbiddenError):
        preflight(ended.context(action), action)
    with pytest.raises(ForbiddenError):
        apply(ended.context(action), action, "{}")
    assert ended.server.writes == []


def test_risk_is_never_told_as_less(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action().model_copy(update={"risk": Risk.MEDIUM})
    with pytest.raises(PermanentError, match="at least the risk high"):
        preflight(ended.context(action), action)


def test_manifest_altered_since_the_plan_voids_it(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action(from_git=True)
    commit_files(tmp_path, "Alter", {"import.yaml": yaml.safe_dump(DESCRIBED).replace("import:2", "import:3")})
    with pytest.raises(ConflictError, match="the plan is void"):
        preflight(ended.context(action), action)
    assert ended.server.writes == []


def test_what_the_api_server_would_not_take_costs_nobody_his_job(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    ended.server.refuses = "import:2"
    action = ended.action(from_git=True)
    with pytest.raises(BadInputError, match="invalid"):
        preflight(ended.context(action), action)
    assert ended.server.writes == []


def test_job_that_was_changed_since_the_plan_or_the_preflight_is_left_alone(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action()
    image = preflight(ended.context(action), action)
    ended.live["metadata"]["generation"] = 2
    with pytest.raises(ConflictError, match="void"):
        apply(ended.context(action), action, image)
    with pytest.raises(ConflictError, match="void"):
        preflight(ended.context(action), action)
    assert ended.server.writes == []


def test_job_that_began_again_after_the_preflight_is_left_alone(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action()
    image = preflight(ended.context(action), action)
    ended.live["status"] = {"active": 1}
    with pytest.raises(ConflictError, match="its pods are running"):
        apply(ended.context(action), action, image)
    assert ended.server.writes == []


def test_job_that_somebody_else_deleted_is_not_made(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action()
    context = ended.context(action)
    del ended.server.objects[PATH]
    with pytest.raises(ConflictError, match="is gone"):
        apply(context, action, preflight(context, action))
    assert ended.server.writes == []


@pytest.mark.parametrize(("from_git", "image"), [(False, "import:1"), (True, "import:2")])
def test_job_is_tried_made_again_once_and_comes_back_suspended(tmp_path: Path, from_git: bool, image: str) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action(from_git=from_git)
    context = ended.context(action)
    before = preflight(context, action)
    assert ended.server.writes == []
    assert [method for method, _ in ended.server.dry_runs] == ["POST", "DELETE"]
    done = apply(context, action, before)
    again = apply(context, action, preflight(context, action) and before)
    assert (done.status, again.status) == (ActionStatus.APPLIED, ActionStatus.ALREADY_APPLIED)
    assert [method for method, _ in ended.server.writes] == ["DELETE", "POST"]
    assert ended.image == image
    assert ended.live["metadata"]["annotations"] == {MADE_FOR: context.incident.id}
    assert not verify_undone(context, done)
    undone = undo(context, action, done)
    assert verify_undone(context, undone)
    assert ended.image == "import:1"
    assert ended.live["spec"]["suspend"] is True
    assert ended.live["metadata"]["labels"] == {"app": "import"}
    assert undo(context, action, done).status is ActionStatus.UNDONE, "again is fine"


def test_interrupted_between_deletion_and_creation_it_goes_on(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action()
    context = ended.context(action)
    recorded = preflight(context, action)
    del ended.server.objects[PATH]
    assert preflight(context, action) != recorded, "what is gone cannot be recorded again"
    assert apply(context, action, recorded).status is ActionStatus.APPLIED
    assert ended.image == "import:1"


def test_job_that_is_slow_to_go_is_tried_again_later(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action()
    context = ended.context(action)
    recorded = preflight(context, action)
    ended.server.lingers = True
    with pytest.raises(TransientError, match="still being deleted"):
        apply(context, action, recorded)


def test_creation_that_fails_after_all_gives_the_old_one_back(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action(from_git=True)
    context = ended.context(action)
    recorded = preflight(context, action)
    ended.server.refuses = "import:2"
    failed = apply(context, action, recorded)
    assert failed.status is ActionStatus.FAILED
    assert PATH not in ended.server.objects
    undone = undo(context, action, failed)
    assert verify_undone(context, undone)
    assert ended.image == "import:1"


def test_job_that_somebody_made_anew_since_is_not_taken_back(tmp_path: Path) -> None:
    ended = Ended(tmp_path, job())
    action = ended.action()
    context = ended.context(action)
    done = apply(context, action, preflight(context, action))
    ended.server.keep(job("import:9", uid="u-other"))
    with pytest.raises(ConflictError, match="somebody else"):
        undo(context, action, done)
    assert ended.image == "import:9"


def test_selector_of_its_users_own_stays() -> None:
    kept = without_its_uid(job(spec={"manualSelector": True}))
    assert kept["spec"]["selector"] == {"matchLabels": {"controller-uid": "u-old"}}
    assert kept["spec"]["template"]["metadata"]["labels"] == LABELS
