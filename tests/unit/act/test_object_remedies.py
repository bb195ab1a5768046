"""The remedies that switch or delete an object change exactly what was seen, or nothing."""

from typing import Any

import pytest

from tasks.act import ClusterContext, apply, preflight, undo, verify_undone
from tasks.domain.cluster import ObjectRef
from tasks.domain.cluster_state import CORDONED_BY, RESTARTED_FOR
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Action, Remedy
from tasks.errors import ConflictError, ForbiddenError, PermanentError
from tests.fakes.kube import FakeConnection, fake_cluster
from tests.unit.act.clusters import action_on, context_for, owned_by, raw

PRINT = "0123456789abcdef0123"
EVICTED = {"phase": "Failed", "reason": "Evicted"}
STUCK = {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}
PULLING = {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
CLAIM = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
NODE = {"podCIDR": "10.0.0.0/24", "unschedulable": True}


def cron(**metadata: Any) -> dict[str, Any]:
    return raw(
        "CronJob", "report", metadata={"generation": 1, **metadata}, spec={"suspend": False, "schedule": "@daily"}
    )


def pod(
    status: dict[str, Any], owner: str = "ReplicaSet", volumes: Any = (), namespace: str = "shop", **metadata: Any
) -> dict[str, Any]:
    spec = {"nodeName": "n", "volumes": list(volumes)}
    owners = owned_by(owner, "cart-1") if owner else {}
    return raw("Pod", "cart-1-a", namespace=namespace, metadata={**owners, **metadata}, spec=spec, status=status)


def node(**annotations: str) -> dict[str, Any]:
    return raw("Node", "n", namespace="", metadata={"annotations": annotations}, spec=dict(NODE))


def dns(*, ready: int = 0, label: str = "kube-dns", mark: str = "", namespace: str = "kube-system") -> dict[str, Any]:
    annotations = {RESTARTED_FOR: mark} if mark else {}
    template = {"metadata": {"labels": {"k8s-app": label}, "annotations": annotations}, "spec": {"containers": []}}
    metadata = {"generation": 3, "labels": {"k8s-app": label}}
    spec = {"replicas": 2, "template": template}
    return raw(
        "Deployment", "coredns", namespace=namespace, metadata=metadata, spec=spec, status={"readyReplicas": ready}
    )


def heal(
    remedy: Remedy, item: dict[str, Any], *others: dict[str, Any], settings: Any = None, **more: str
) -> tuple[ClusterContext, Action, FakeConnection]:
    cluster, server = fake_cluster(item, *others)
    metadata = item["metadata"]
    ref = ObjectRef(kind=item["kind"], namespace=metadata.get("namespace", ""), name=metadata["name"])
    action = action_on(remedy, cluster.read(ref), **more)
    return context_for(cluster, action, **(settings or {})), action, server


@pytest.mark.parametrize(
    ("remedy", "item", "more", "why"),
    [
        (Remedy.SUSPEND_CRON_JOB, cron(labels={"argocd.argoproj.io/instance": "shop"}), {}, "kept by Argo CD"),
        (Remedy.SUSPEND_CRON_JOB, cron(labels={"kustomize.toolkit.fluxcd.io/name": "shop"}), {}, "kept by Flux"),
        (Remedy.SUSPEND_CRON_JOB, dns(), {}, "not for a Deployment"),
        (Remedy.UNCORDON_NODE, node(), {}, "cordoned by somebody else"),
        (Remedy.DELETE_POD, pod(EVICTED, owner=""), {}, "nothing would make a new one"),
        (Remedy.DELETE_POD, pod(EVICTED, owner="Job"), {}, "a Job counts"),
        (Remedy.DELETE_POD, pod(STUCK, owner="StatefulSet", volumes=CLAIM), {}, "holds a volume"),
        (Remedy.DELETE_POD, pod({"phase": "Running"}), {}, "neither stuck"),
        (Remedy.DELETE_POD, pod(PULLING), {}, "neither stuck"),
        (Remedy.DELETE_POD, pod(STUCK, deletionTimestamp="2026-01-01T00:00:00Z"), {}, "being deleted already"),
        (Remedy.DELETE_POD, pod(EVICTED, namespace="kube-system"), {}, "protected namespace"),
        (Remedy.RESTART_COREDNS, dns(ready=1), {"fingerprint": PRINT}, "has ready pods"),
        (Remedy.RESTART_COREDNS, dns(label="shop"), {"fingerprint": PRINT}, "not the cluster's DNS"),
        (Remedy.RESTART_COREDNS, dns(namespace="shop"), {"fingerprint": PRINT}, "not the cluster's DNS"),
        (Remedy.RESTART_COREDNS, dns(mark=f"{PRINT}.inc-old"), {"fingerprint": PRINT}, "for this failure before"),
    ],
)
def test_what_a_remedy_is_not_for_is_left_as_it_is(
    remedy: Remedy, item: dict[str, Any], more: dict[str, str], why: str
) -> None:
    context, action, server = heal(remedy, item, **more)
    with pytest.raises(PermanentError, match=why):
        preflight(context, action)
    assert server.writes == []
    assert server.dry_runs == []


def test_dns_is_not_restarted_where_only_other_namespaces_may_be_changed() -> None:
    context, action, server = heal(Remedy.RESTART_COREDNS, dns(), settings={"namespaces": ("shop",)}, fingerprint=PRINT)
    with pytest.raises(ForbiddenError, match="shop only"):
        preflight(context, action)
    assert server.writes == []


CHANGES = [
    (Remedy.SUSPEND_CRON_JOB, cron(), {}),
    (Remedy.UNCORDON_NODE, node(**{CORDONED_BY: "inc-1"}), {}),
    (Remedy.RESTART_COREDNS, dns(), {"fingerprint": PRINT}),
]


@pytest.mark.parametrize(("remedy", "item", "more"), CHANGES)
def test_change_is_tried_first_made_once_and_taken_back(
    remedy: Remedy, item: dict[str, Any], more: dict[str, str]
) -> None:
    context, action, server = heal(remedy, item, **more)
    path = next(iter(server.objects))
    before = dict(server.objects[path]["spec"])
    image = preflight(context, action)
    assert server.writes == []
    assert len(server.dry_runs) == 1
    done = apply(context, action, image)
    assert server.objects[path]["spec"] != before
    again = apply(context, action, image)
    assert (done.status, again.status) == (ActionStatus.APPLIED, ActionStatus.ALREADY_APPLIED)
    assert len(server.writes) == 1
    assert not verify_undone(context, done)
    undone = undo(context, action, done)
    assert verify_undone(context, undone)
    assert server.objects[path]["spec"] == before


def test_restart_is_not_repeated_for_the_same_failure() -> None:
    context, action, _ = heal(Remedy.RESTART_COREDNS, dns(), fingerprint=PRINT)
    apply(context, action, preflight(context, action))
    assert preflight(context, action), "an interrupted heal goes on with its own restart"
    seen = context.cluster.read(ObjectRef(kind="Deployment", namespace="kube-system", name="coredns"))
    mark = seen.raw["spec"]["template"]["metadata"]["annotations"][RESTARTED_FOR]
    other, second, server = heal(Remedy.RESTART_COREDNS, dns(mark=mark.replace("inc", "other")), fingerprint=PRINT)
    with pytest.raises(ForbiddenError, match="before"):
        preflight(other, second)
    assert server.writes == []


@pytest.mark.parametrize(("status", "owner", "volumes"), [(EVICTED, "StatefulSet", CLAIM), (STUCK, "ReplicaSet", ())])
def test_pod_that_may_be_deleted_is_deleted_once(status: dict[str, Any], owner: str, volumes: Any) -> None:
    maker = raw(owner, "cart-1", spec={"replicas": 1}, status={"replicas": 1})
    context, action, server = heal(Remedy.DELETE_POD, pod(status, owner, volumes), maker)
    image = preflight(context, action)
    assert server.writes == []
    done = apply(context, action, image)
    again = apply(context, action, image)
    assert (done.status, again.status) == (ActionStatus.APPLIED, ActionStatus.ALREADY_APPLIED)
    assert [method for method, _ in server.writes] == ["DELETE"]
    undone = undo(context, action, done)
    assert "nothing is to be restored" in undone.message
    assert verify_undone(context, undone)


def test_deletion_is_not_called_taken_back_while_its_owner_lacks_pods() -> None:
    maker = raw("ReplicaSet", "cart-1", spec={"replicas": 2}, status={"replicas": 1})
    context, action, _ = heal(Remedy.DELETE_POD, pod(EVICTED), maker)
    done = apply(context, action, preflight(context, action))
    assert not verify_undone(context, undo(context, action, done))


def test_another_pod_of_that_name_is_not_deleted() -> None:
    context, action, server = heal(Remedy.DELETE_POD, pod(EVICTED, "StatefulSet"))
    image = preflight(context, action)
    server.keep(pod({"phase": "Running"}, "StatefulSet", uid="uid-new"))
    assert apply(context, action, image).status is ActionStatus.ALREADY_APPLIED
    with pytest.raises(ConflictError, match="another pod"):
        preflight(context, action)
    assert server.writes == []


def test_pod_that_started_meanwhile_is_not_deleted() -> None:
    context, action, server = heal(Remedy.DELETE_POD, pod(STUCK))
    image = preflight(context, action)
    next(iter(server.objects.values()))["status"] = {"phase": "Running"}
    with pytest.raises(ConflictError, match="void"):
        apply(context, action, image)
    assert server.writes == []
