"""What a deploy says of its own failure, with messages that API server 1.34 gave: never more than it says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.diagnose.choose import choose_cause
from tasks.diagnose.cluster import diagnose_cluster
from tasks.diagnose.deploys import class_of_refusal, deploy_clues
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import ClusterTarget, DeployFailure, Signal, SignalKind, SignalSource

PLACE = ClusterTarget(namespace="shop", kind="Deployment", name="cart", revision="2")


def signal(*said: str, failure_class: F = F.DEP_APPLY_INVALID, **changes: Any) -> Signal:
    told = {
        "source": SignalSource.CLUSTER,
        "kind": SignalKind.ROLLOUT,
        "delivery_id": "d",
        "repository": "local/cluster",
        "branch": "",
        "commit": "c" * 40,
        "title": "refused",
        "cluster": PLACE,
        "deploy": DeployFailure(failure_class=failure_class, said=said or ("no",)),
        "occurred_at": datetime(2026, 1, 2, tzinfo=UTC),
    }
    return Signal.model_validate({**told, **changes})


def test_signal_of_no_deploy_says_nothing() -> None:
    assert deploy_clues(signal(deploy=None)) == ()
    assert deploy_clues(signal(cluster=None)) == ()


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("the server is having a bad day", "the API server refuses it"),
        ('Service "cart" is invalid: spec.ports[0].port: Invalid value: 123456: must be between', "spec.ports[0].port is not valid"),
        ("failed to create typed patch object (shop/cart; apps/v1, Kind=Deployment): .spec.replicas: expected numeric", "spec.replicas is not valid"),
        ('The Service "x" is invalid: * metadata.name: Invalid value: "x_": a DNS-1035 label', "metadata.name is not valid"),
        ('Deployment.apps "cart" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable', "the release changes spec.selector, which is immutable"),
        ('Job.batch "job" is invalid: spec.template: Invalid value: {"labels":{ … }}: field is immutable', "the release changes spec.template, which is immutable"),
        ("StatefulSet.apps \"st\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden", "the release changes spec, which is immutable"),
        ('PersistentVolumeClaim "pv" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests', "the release changes spec, which is immutable"),
        ('ConfigMap "cm" is invalid: data: Forbidden: field is immutable when `immutable` is set', "the release changes data, which is immutable"),
        ('Service "svc" is invalid: spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set', "the release changes spec.clusterIPs[0], which is immutable"),
        ('RoleBinding.rbac.authorization.k8s.io "rb" is invalid: roleRef: Invalid value: {}: cannot change roleRef', "the release changes roleRef, which is immutable"),
    ],
)  # fmt: skip
def test_refusal_is_told_with_the_field_that_it_names(said: str, cause: str) -> None:
    (clue,) = deploy_clues(signal(f"Deployment/shop/cart: {said}"))
    assert clue.cause == f"Deployment/shop/cart was not applied: {cause}."
    assert said in clue.quotes[0].text


def test_conflict_names_the_other_owner_and_the_field() -> None:
    said = 'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas'
    (clue,) = deploy_clues(signal(said, failure_class=F.DEP_CONFLICT))
    assert "kubectl-edit owns spec.replicas" in clue.cause


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('pods "x" is forbidden: exceeded quota: small, requested: cpu=1', F.K8S_QUOTA),
        ('admission webhook "v.example" denied the request: no', F.K8S_ADMISSION_WEBHOOK),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', F.K8S_ADMISSION_PSS),
        ('deployments.apps "cart" is forbidden: User "system:serviceaccount:a:b" cannot patch resource', F.K8S_RBAC),
        ("something else", F.DEP_APPLY_INVALID),
    ],
)
def test_refusal_by_somebody_who_is_named_has_its_own_class(message: str, found: F) -> None:
    assert class_of_refusal(message) is found


def test_refusal_is_the_cause_and_the_state_of_the_cluster_is_none_of_it() -> None:
    sent = signal("Deployment/shop/cart: is invalid: spec.selector: Invalid value: {}: field is immutable")
    found = diagnose_cluster(ClusterSnapshot(), namespace="shop", told=deploy_clues(sent))
    cause = choose_cause(found, PLACE, ClusterSnapshot())
    assert cause is not None
    assert cause.diagnosis.failure_class is F.DEP_APPLY_INVALID
    assert cause.diagnosis.evidence_ids
