"""A Job is planned to be made again where git has another one, or where what it failed by may have passed."""

from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot, KubeObject, Manifest, ObjectRef
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Plan, Remedy, Risk
from tasks.plan.cluster import draft_cluster_plan
from tests.unit.act.clusters import incident_of, owned_by, raw

COMMIT = "a" * 40
FAILED = {"conditions": [{"type": "Failed", "status": "True"}]}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


def container(**more: Any) -> dict[str, Any]:
    return {"name": "app", "image": "import:1", "resources": {"limits": {"cpu": "100m"}}, **more}


def job(status: Any, *, metadata: Any = None, **more: Any) -> KubeObject:
    defaulted = {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log"}
    pods = {"restartPolicy": "Never", "containers": [{**container(**more), **defaulted}], "dnsPolicy": "ClusterFirst"}
    told = {"generation": 1, "uid": "u", **(metadata or {})}
    return KubeObject(raw=raw("Job", "import", metadata=told, spec={"template": {"spec": pods}}, status=status))


def manifest(path: str = "import.yaml", namespace: str = "", **more: Any) -> Manifest:
    told = {"cpu": 0.1}
    pods = {"restartPolicy": "Never", "containers": [{**container(**more), "resources": {"limits": told}}]}
    described = KubeObject(raw=raw("Job", "import", namespace=namespace, spec={"template": {"spec": pods}}))
    ref = ObjectRef(kind="Job", namespace=namespace, name="import")
    return Manifest(ref=ref, commit=COMMIT, path=path, described=described)


def planned(
    found: F, there: KubeObject, *manifests: Manifest, transient: bool = False, pods: tuple[KubeObject, ...] = ()
) -> Plan:
    diagnosis = Diagnosis(
        failure_class=found,
        cause="c",
        evidence_ids=("E1",),
        confidence=0.9,
        fingerprint="ab" * 10,
        transient=transient,
    )
    snapshot = ClusterSnapshot(objects=(there, *pods), manifests=manifests)
    return draft_cluster_plan(incident_of(), ClusterCause(diagnosis=diagnosis, target=there.ref), snapshot)


@pytest.mark.parametrize(
    ("found", "there", "manifests", "why"),
    [
        (F.K8S_CRASH_APP, job(FAILED), (), "does not pass by itself"),
        (F.K8S_CRASH_APP, job(FAILED), (manifest(),), "does not pass by itself"),
        (F.DEP_APPLY_INVALID, job(COMPLETE), (), "it has not failed"),
        (F.DEP_APPLY_INVALID, job(COMPLETE), (manifest(),), "it has not failed"),
        (F.DEP_APPLY_INVALID, job(COMPLETE), (manifest(namespace="pay", image="import:2"),), "it has not failed"),
        (F.DEP_APPLY_INVALID, job(COMPLETE), (manifest(image="import:2"), manifest("b.yaml")), "2 manifests in git"),
        (F.DEP_APPLY_INVALID, job({"active": 1}), (manifest(image="import:2"),), "its pods are running"),
        (F.K8S_IMAGE_RATE, job(FAILED, metadata=owned_by("CronJob", "report")), (), "makes it"),
        (F.K8S_IMAGE_RATE, job({}), (), "has not ended"),
    ],
)
def test_job_that_would_only_do_the_same_is_reported(
    found: F, there: KubeObject, manifests: tuple[Manifest, ...], why: str
) -> None:
    plan = planned(found, there, *manifests)
    assert [action.name for action in plan.actions] == [Remedy.REPORT_ONLY]
    assert why in plan.rationale


def waiting() -> KubeObject:
    row = {"name": "app", "state": {"waiting": {"reason": "ImagePullBackOff"}}, "restartCount": 0}
    status = {"phase": "Pending", "containerStatuses": [row]}
    return KubeObject(raw=raw("Pod", "import-x", metadata=owned_by("Job", "import"), status=status))


@pytest.mark.parametrize("found", [F.K8S_IMAGE_NOTFOUND, F.K8S_IMAGE_AUTH, F.K8S_IMAGE_NEVER, F.K8S_IMAGE_RATE])
def test_job_that_cannot_get_its_image_is_made_again_with_the_one_in_git(found: F) -> None:
    (action,) = planned(found, job({"active": 1}), manifest(image="import:2"), pods=(waiting(),)).actions
    assert (action.name, action.parameters["commit"]) == (Remedy.RECREATE_JOB, COMMIT)
    assert "containers[app].image: import:1 becomes import:2" in action.preview


@pytest.mark.parametrize("manifests", [(), (manifest(),), (manifest(command=["other"]),)])
def test_job_that_cannot_get_its_image_is_reported_where_git_has_no_other_one(manifests: tuple[Manifest, ...]) -> None:
    plan = planned(F.K8S_IMAGE_NOTFOUND, job({"active": 1}), *manifests, pods=(waiting(),))
    assert [action.name for action in plan.actions] == [Remedy.REPORT_ONLY]
    assert "git describes no other one" in plan.rationale


@pytest.mark.parametrize("found", [F.DEP_APPLY_INVALID, F.K8S_CRASH_APP, F.K8S_JOB])
@pytest.mark.parametrize("status", [FAILED, COMPLETE])
def test_job_is_made_again_as_git_has_it(found: F, status: Any) -> None:
    described = manifest(image="import:2", command=["import", "--token=hunter2-hunter2"])
    plan = planned(found, job(status, command=["import"]), described)
    (action,) = plan.actions
    assert (action.name, action.risk) == (Remedy.RECREATE_JOB, Risk.HIGH)
    assert (action.parameters["commit"], action.parameters["path"]) == (COMMIT, "import.yaml")
    assert "containers[app].image: import:1 becomes import:2" in action.preview
    assert "containers[app].command is another" in action.preview
    assert "hunter2" not in plan.model_dump_json()


@pytest.mark.parametrize(("found", "transient"), [(F.K8S_IMAGE_RATE, False), (F.K8S_SANDBOX, False), (F.K8S_JOB, True)])
def test_job_is_made_again_as_it_was_where_its_failure_passes(found: F, transient: bool) -> None:
    (action,) = planned(found, job(FAILED), transient=transient).actions
    assert (action.name, action.risk) == (Remedy.RECREATE_JOB, Risk.HIGH)
    assert "commit" not in action.parameters
