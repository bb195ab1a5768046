"""Pods that the API server refuses, and nodes in trouble: who has to change, and what is nothing at all."""

from typing import Any

import pytest

from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterEvent, ClusterSnapshot, KubeObject, ObjectRef


def web() -> KubeObject:
    return KubeObject(
        raw={
            "kind": "ReplicaSet",
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"replicas": 1},
            "status": {"replicas": 0},
        }
    )


def node(kind: str, status: str, **spec: Any) -> ClusterSnapshot:
    raw = {
        "kind": "Node",
        "metadata": {"name": "n1"},
        "spec": spec,
        "status": {"conditions": [{"type": kind, "status": status, "reason": "Said", "message": "so"}]},
    }
    return ClusterSnapshot(objects=(KubeObject(raw=raw),))


def refused(message: str, *, reason: str = "FailedCreate") -> ClusterSnapshot:
    about = ObjectRef(kind="ReplicaSet", namespace="shop", name="web")
    event = ClusterEvent(id="shop/e1", about=about, reason=reason, message=message, warning=True)
    return ClusterSnapshot(objects=(web(),), events=(event,))


def first(snapshot: ClusterSnapshot) -> tuple[str, str]:
    cause = diagnose_cluster(snapshot).causes[0]
    return str(cause.diagnosis.failure_class), str(cause.target)


@pytest.mark.parametrize(
    ("message", "failure_class", "target"),
    [
        ('pods "web-x" is forbidden: exceeded quota: team, requested: cpu=2, used: cpu=3, limited: cpu=4', "k8s.quota", "ResourceQuota/shop/team"),
        ('pods "web-x" is forbidden: failed quota: team: must specify limits.cpu', "k8s.quota", "ReplicaSet/shop/web"),
        ('pods "web-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi', "k8s.limitrange", "ReplicaSet/shop/web"),
        ('pods "web-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', "k8s.admission.pss", "ReplicaSet/shop/web"),
        ('admission webhook "img.policy.io" denied the request: no latest', "k8s.admission.webhook", "ReplicaSet/shop/web"),
        ('Internal error occurred: failed calling webhook "img.policy.io": connection refused', "k8s.admission.webhook", "ValidatingWebhookConfiguration/img.policy.io"),
        ('pods "web-" is forbidden: error looking up service account shop/bot: serviceaccount "bot" not found', "k8s.mount", "ServiceAccount/shop/bot"),
        ('Pod "web-x" is invalid: spec.containers[0].image: Required value', "dep.apply.invalid", "ReplicaSet/shop/web"),
    ],
)  # fmt: skip
def test_refusal_names_who_has_to_change(message: str, failure_class: str, target: str) -> None:
    assert first(refused(message)) == (failure_class, target)


def test_refusal_that_was_followed_by_a_pod_is_no_cause_of_its_own() -> None:
    quota = "exceeded quota: team, requested: cpu=2, used: cpu=3, limited: cpu=4"
    snapshot = refused(quota)
    made = snapshot.events[0].model_copy(
        update={"id": "shop/e2", "reason": "SuccessfulCreate", "message": "Created pod", "seen_at": 9.0}
    )
    later = snapshot.model_copy(update={"events": (*snapshot.events, made)})
    assert "k8s.quota" not in {str(cause.diagnosis.failure_class) for cause in diagnose_cluster(later).causes}


@pytest.mark.parametrize(
    ("kind", "status", "failure_class"),
    [
        ("Ready", "Unknown", "k8s.node.notready"),
        ("Ready", "False", "k8s.node.notready"),
        ("DiskPressure", "True", "k8s.node.pressure"),
        ("NetworkUnavailable", "True", "k8s.node.notready"),
    ],
)
def test_node_in_trouble_is_the_cause(kind: str, status: str, failure_class: str) -> None:
    assert first(node(kind, status)) == (failure_class, "Node/n1")


@pytest.mark.parametrize(
    ("kind", "status"), [("Ready", "True"), ("DiskPressure", "False"), ("EtcdIsVoter", "True"), ("Odd", "True")]
)
def test_node_that_is_well_causes_nothing(kind: str, status: str) -> None:
    assert diagnose_cluster(node(kind, status)).passed


def test_cordon_that_nobody_waits_for_is_a_hint() -> None:
    found = diagnose_cluster(node("Ready", "True", unschedulable=True))
    assert found.passed
    assert [str(hint.target) for hint in found.hints] == ["Node/n1"]


def waiting(said: str, *, closed: bool) -> ClusterSnapshot:
    """A pod that wants the node n1, of two."""
    pod = {
        "kind": "Pod",
        "metadata": {"namespace": "shop", "name": "cart"},
        "spec": {"nodeSelector": {"pool": "batch"}},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": said}]},
    }
    wanted = {
        "kind": "Node",
        "metadata": {"name": "n1", "labels": {"pool": "batch"}},
        "spec": {"unschedulable": closed},
    }
    other = {"kind": "Node", "metadata": {"name": "n2"}, "spec": {}}
    return ClusterSnapshot(objects=tuple(KubeObject(raw=raw) for raw in (pod, wanted, other)))


def test_node_that_is_wanted_and_closed_is_the_cause_and_not_the_selector() -> None:
    said = (
        "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) were unschedulable. "
        "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
    found = diagnose_cluster(waiting(said, closed=True)).causes
    assert [(one.diagnosis.failure_class, str(one.target)) for one in found] == [("k8s.pending.unsched", "Node/n1")]


def test_wanted_node_without_room_is_no_fault_of_the_selector() -> None:
    said = "0/2 nodes are available: 1 Insufficient memory, 1 node(s) didn't match Pod's node affinity/selector."
    assert first(waiting(said, closed=False))[0] == "k8s.pending.res"
