"""What planted faults on a real cluster taught: each with the state that looks alike and is another story."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.explain_cluster import explain_snapshot
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.domain.failure_class import FailureClass

Object = dict[str, Any]
READY = [{"type": "Ready", "status": "True"}]


def made(kind: str, name: str, api: str = "v1", **rest: Any) -> Object:
    uid = f"{kind}-{name}"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop", "uid": uid}, **rest}


def deployment(name: str, *, ready: int = 1, volumes: list[Object] | None = None) -> Object:
    spec = {"containers": [{"name": "app", "image": "acme/cart:1"}], "volumes": volumes or []}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    wanted = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
    status = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready}
    return made("Deployment", name, "apps/v1", spec=wanted, status=status)


def pod(owner: Object, status: Object) -> Object:
    found = made("Pod", owner["metadata"]["name"] + "-1", spec=owner["spec"]["template"]["spec"], status=status)
    found["metadata"]["labels"] = owner["spec"]["template"]["metadata"]["labels"]
    reference = {"kind": owner["kind"], "name": owner["metadata"]["name"], "controller": True}
    found["metadata"]["ownerReferences"] = [reference]
    return found


def event(about: Object, reason: str, message: str) -> Object:
    involved = {"kind": about["kind"], "namespace": "shop", "name": about["metadata"]["name"]}
    moment = "2026-01-01T00:00:00Z"
    rest = {"involvedObject": involved, "reason": reason, "message": message, "lastTimestamp": moment}
    return made("Event", f"{about['metadata']['name']}.{reason.lower()}", type="Warning", **rest)


def explained(folder: Path, *objects: Object) -> ClusterExplanation:
    (folder / "state.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    return explain_snapshot(folder, namespace="shop")


def service(selector: str) -> Object:
    return made(
        "Service", "cart", spec={"clusterIP": "10.0.0.1", "selector": {"app": selector}, "ports": [{"port": 80}]}
    )


def running() -> Object:
    return {
        "phase": "Running",
        "conditions": READY,
        "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}],
    }


def test_service_that_selects_nothing_is_wrong_where_a_workload_has_its_name(tmp_path: Path) -> None:
    cart = deployment("cart")
    found = explained(tmp_path, cart, pod(cart, running()), service("basket"))
    assert [str(cause.target) for cause in found.causes] == ["Service/shop/cart"]
    assert found.causes[0].diagnosis.failure_class == "k8s.svc.selector"


def test_service_without_any_like_workload_is_a_hint_alone(tmp_path: Path) -> None:
    other = deployment("mailer")
    found = explained(tmp_path, other, pod(other, running()), service("basket"))
    assert found.causes == ()
    assert "no endpoints" in found.hints[0].diagnosis.cause


def waiting_for_volume() -> tuple[Object, Object, Object]:
    cart = deployment("cart", ready=0, volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}])
    pending = pod(cart, {"phase": "Pending"})
    said = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    return cart, pending, event(pending, "FailedScheduling", said)


def claim(phase: str) -> Object:
    return made("PersistentVolumeClaim", "data", spec={"storageClassName": "fast-ssd"}, status={"phase": phase})


def classes() -> Object:
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "standard", "uid": "c"}}


def test_claim_that_cannot_be_bound_is_the_cause_and_not_the_workload_that_waits(tmp_path: Path) -> None:
    found = explained(tmp_path, *waiting_for_volume(), claim("Pending"), classes())
    assert [str(cause.target) for cause in found.causes] == ["PersistentVolumeClaim/shop/data"]
    assert "Deployment/shop/cart" in [str(ref) for ref in found.causes[0].victims]


def test_bound_claim_is_not_blamed(tmp_path: Path) -> None:
    found = explained(tmp_path, *waiting_for_volume(), claim("Bound"), classes())
    assert "PersistentVolumeClaim/shop/data" not in [str(cause.target) for cause in found.causes]


MOUNT = (
    'MountVolume.SetUp failed for volume "prices" : failed to sync configmap cache: timed out waiting for the condition'
)


def test_mount_that_succeeded_later_is_not_the_cause(tmp_path: Path) -> None:
    cart = deployment("cart", ready=0)
    ended = {"terminated": {"reason": "Error", "exitCode": 1}}
    broken = pod(
        cart,
        {"phase": "Running", "containerStatuses": [{"name": "app", "ready": False, "restartCount": 3, "state": ended}]},
    )
    found = explained(tmp_path, cart, broken, event(broken, "FailedMount", MOUNT))
    assert found.causes
    assert "k8s.mount" not in {cause.diagnosis.failure_class for cause in found.causes}


def test_mount_that_is_still_awaited_is(tmp_path: Path) -> None:
    cart = deployment("cart", ready=0)
    creating = {"waiting": {"reason": "ContainerCreating"}}
    stuck = pod(
        cart,
        {
            "phase": "Pending",
            "containerStatuses": [{"name": "app", "ready": False, "restartCount": 0, "state": creating}],
        },
    )
    found = explained(tmp_path, cart, stuck, event(stuck, "FailedMount", MOUNT))
    assert found.causes[0].diagnosis.failure_class == "k8s.mount"


def killed_once(born: str) -> ClusterExplanation:
    """What a pod that runs again after it was killed out of memory comes to, ten past midnight."""
    owner = deployment("cart")
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    row = {"name": "app", "ready": True, "restartCount": 1, "state": {"running": {}}, "lastState": ended}
    item = pod(owner, {"phase": "Running", "conditions": READY, "containerStatuses": [row]})
    item["metadata"]["creationTimestamp"] = born
    objects = tuple(KubeObject(raw=raw) for raw in (owner, item))
    at = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    return diagnose_cluster(ClusterSnapshot(objects=objects, captured_at=at))


def test_young_pod_that_was_killed_out_of_memory_is_a_fault_though_it_runs_again() -> None:
    found = killed_once("2026-01-01T00:08:00Z")
    assert [cause.diagnosis.failure_class for cause in found.causes] == [FailureClass.K8S_OOM]


def test_old_pod_that_was_killed_once_is_worth_knowing_only() -> None:
    found = killed_once("2025-12-01T00:00:00Z")
    assert found.causes == ()
    assert [hint.diagnosis.failure_class for hint in found.hints][:1] == [FailureClass.K8S_OOM]


def starting(at: datetime) -> ClusterExplanation:
    """A pod of midnight that runs and is not ready, seen at some moment."""
    owner = deployment("cart", ready=0)
    row = {"name": "app", "ready": False, "restartCount": 0, "state": {"running": {}}}
    conditions = [{"type": "Ready", "status": "False"}]
    item = pod(owner, {"phase": "Running", "conditions": conditions, "containerStatuses": [row]})
    item["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    objects = tuple(KubeObject(raw=raw) for raw in (owner, item))
    return diagnose_cluster(ClusterSnapshot(objects=objects, captured_at=at))


def test_pod_that_has_just_begun_is_no_fault() -> None:
    assert starting(datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)).causes == ()


def test_pod_that_is_not_ready_for_long_is_a_fault() -> None:
    found = starting(datetime(2026, 1, 1, 0, 5, tzinfo=UTC))
    assert [cause.diagnosis.failure_class for cause in found.causes] == [FailureClass.K8S_PROBE_READY]
