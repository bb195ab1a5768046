"""Which failures of a cluster are answered by switching or deleting an object, and which are only reported."""

from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_state import CORDONED_BY
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Plan, Remedy
from tasks.plan.cluster import draft_cluster_plan
from tests.unit.act.clusters import incident_of, owned_by, raw

FAILED = {"conditions": [{"type": "Failed", "status": "True"}]}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def planned(found: F, target: dict[str, Any], *others: dict[str, Any], victims: tuple[ObjectRef, ...] = ()) -> Plan:
    objects = tuple(KubeObject(raw=one) for one in (target, *others))
    diagnosis = Diagnosis(failure_class=found, cause="c", evidence_ids=("E1",), confidence=0.9, fingerprint="ab" * 10)
    cause = ClusterCause(diagnosis=diagnosis, target=objects[0].ref, victims=victims)
    return draft_cluster_plan(incident_of(), cause, ClusterSnapshot(objects=objects))


def cron(**metadata: Any) -> dict[str, Any]:
    return raw("CronJob", "report", metadata={"generation": 1, **metadata}, spec={"suspend": False})


def job(number: int, status: dict[str, Any]) -> dict[str, Any]:
    metadata = {**owned_by("CronJob", "report"), "creationTimestamp": f"2026-01-0{number}T00:00:00Z"}
    return raw("Job", f"report-{number}", metadata=metadata, status=status)


def pod(**status: Any) -> dict[str, Any]:
    return raw("Pod", "cart-1-a", metadata=owned_by("ReplicaSet", "cart-1"), spec={"nodeName": "n"}, status=status)


def node(*, status: Any = None, **annotations: str) -> dict[str, Any]:
    return raw(
        "Node", "n", namespace="", metadata={"annotations": annotations}, spec={"unschedulable": True}, status=status
    )


def dns(**status: Any) -> dict[str, Any]:
    labels = {"labels": {"k8s-app": "kube-dns"}}
    return raw("Deployment", "coredns", namespace="kube-system", metadata=labels, spec={"replicas": 2}, status=status)


ARGO = {"labels": {"argocd.argoproj.io/instance": "shop"}}


@pytest.mark.parametrize(
    ("found", "objects", "why"),
    [
        (F.K8S_JOB, (cron(), job(1, FAILED)), "not all of its last 2 jobs are known"),
        (F.K8S_JOB, (cron(), job(1, FAILED), job(2, {}), job(3, FAILED)), "not all of its last 2 jobs are known"),
        (F.K8S_JOB, (cron(**ARGO), job(1, FAILED), job(2, FAILED)), "kept by Argo CD"),
        (F.K8S_PENDING_UNSCHED, (node(status=READY),), "not Healflow that cordoned it"),
        (F.K8S_PENDING_UNSCHED, (node(**{CORDONED_BY: "inc-1"}),), "the node is not ready"),
        (F.K8S_NODE_PRESSURE, (pod(phase="Running"),), "neither stuck before its start nor evicted"),
        (F.K8S_DNS, (dns(readyReplicas=1),), "ready pods"),
        (F.K8S_DNS, (raw("Deployment", "cart"),), "not the cluster's DNS"),
        (F.K8S_IMAGE_NOTFOUND, (dns(readyReplicas=0),), "No remedy for k8s.image.notfound"),
        (F.K8S_PROBE_READY, (dns(readyReplicas=1),), "ready pods"),
    ],
)
def test_what_is_not_safe_is_reported_with_the_reason(found: F, objects: tuple[dict[str, Any], ...], why: str) -> None:
    plan = planned(found, *objects)
    assert [action.name for action in plan.actions] == [Remedy.REPORT_ONLY]
    assert why in plan.rationale


@pytest.mark.parametrize(
    ("found", "objects", "remedy"),
    [
        (F.K8S_JOB, (cron(), job(1, {}), job(2, FAILED), job(3, FAILED)), Remedy.SUSPEND_CRON_JOB),
        (F.K8S_CRASH_APP, (cron(), job(2, FAILED), job(3, FAILED)), Remedy.SUSPEND_CRON_JOB),
        (F.K8S_PENDING_UNSCHED, (node(status=READY, **{CORDONED_BY: "inc-1"}),), Remedy.UNCORDON_NODE),
        (F.K8S_NODE_PRESSURE, (pod(phase="Failed", reason="Evicted"),), Remedy.DELETE_POD),
        (F.K8S_SANDBOX, (pod(phase="Pending"),), Remedy.DELETE_POD),
        (F.K8S_DNS, (dns(readyReplicas=0),), Remedy.RESTART_COREDNS),
        (F.K8S_PROBE_READY, (dns(readyReplicas=0),), Remedy.RESTART_COREDNS),
        (F.K8S_CRASH_CONFIG, (dns(readyReplicas=0),), Remedy.RESTART_COREDNS),
    ],
)
def test_remedy_is_planned_on_the_state_that_was_seen(
    found: F, objects: tuple[dict[str, Any], ...], remedy: Remedy
) -> None:
    plan = planned(found, *objects)
    assert [action.name for action in plan.actions] == [remedy]
    assert plan.target_state == plan.actions[0].parameters["state"]
