"""Builders of what a plan for a cluster is made from: workloads with revisions and pods, and causes."""

import json
from datetime import UTC, datetime
from typing import Any

from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus, open_incident
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import Action, Plan, Remedy
from tasks.plan.cluster import draft_cluster_plan
from tests.fakes.signals import cluster_signal_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
Raw = dict[str, Any]


def template(*containers: Raw, **spec: Any) -> Raw:
    first = [{"name": "app", "image": "cart:1", **row} for row in containers or ({},)]
    return {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": first, **spec}}


def deployment(pods: Raw, *, replicas: int = 1, revision: int = 1, kind: str = "Deployment") -> Raw:
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    metadata = {"namespace": "shop", "name": "cart", "uid": "u", "generation": 3, "annotations": annotations}
    selector = {"matchLabels": {"app": "cart"}}
    spec = {"replicas": replicas, "selector": selector, "template": pods}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": {"unavailableReplicas": 1}}


def replica_set(pods: Raw, *, revision: int, ready: int, desired: int = 1) -> Raw:
    annotations = {
        "deployment.kubernetes.io/revision": str(revision),
        "deployment.kubernetes.io/desired-replicas": str(desired),
    }
    metadata = {"namespace": "shop", "name": f"cart-{revision}", "uid": f"u{revision}", "annotations": annotations}
    owners = [{"kind": "Deployment", "name": "cart", "controller": True}]
    return {
        "kind": "ReplicaSet",
        "metadata": {**metadata, "ownerReferences": owners},
        "spec": {"template": pods},
        "status": {"readyReplicas": ready},
    }


def pod(pods: Raw, *, revision: int = 1, name: str = "cart-p", **status: Any) -> Raw:
    owners = [{"kind": "ReplicaSet", "name": f"cart-{revision}", "controller": True}]
    metadata = {"namespace": "shop", "name": name, "labels": pods["metadata"]["labels"], "ownerReferences": owners}
    return {"kind": "Pod", "metadata": metadata, "spec": pods["spec"], "status": status}


def snapshot(*raws: Raw) -> ClusterSnapshot:
    return ClusterSnapshot(objects=tuple(KubeObject(raw=raw) for raw in raws), captured_at=NOW)


def ref(text: str) -> ObjectRef:
    kind, _, name = text.partition("/")
    return ObjectRef(kind=kind, namespace="shop", name=name)


def plan(
    failure_class: FailureClass,
    state: ClusterSnapshot,
    *,
    said: str = "it fails",
    target: str = "Deployment/cart",
    victims: tuple[str, ...] = (),
    similar: tuple[SimilarIncident, ...] = (),
) -> Plan:
    signal = cluster_signal_of(NOW, ref(target).name, ref(target).kind)
    diagnosis = Diagnosis(
        failure_class=failure_class, cause=said, evidence_ids=("E1",), confidence=0.9, fingerprint="f"
    )
    cause = ClusterCause(
        diagnosis=diagnosis, target=ref(target), victims=tuple(ref(one) for one in victims), victim_count=len(victims)
    )
    return draft_cluster_plan(open_incident(signal, now=NOW), cause, state, similar=similar)


def before(remedy: Remedy, status: IncidentStatus) -> SimilarIncident:
    return SimilarIncident(
        incident_id="inc-before", status=status, action_names=(remedy,), plan_parameters=(), ended_at=NOW
    )


def only_action(drafted: Plan) -> Action:
    assert len(drafted.actions) == 1
    return drafted.actions[0]


def operations_of(drafted: Plan) -> Any:
    return json.loads(only_action(drafted).parameters["operations"])
