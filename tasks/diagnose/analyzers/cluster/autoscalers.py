"""Autoscalers that cannot scale."""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import (
    event_quote,
    events_saying,
    int_of,
    one_line,
    spec_quote,
    status_quote,
)
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef, dig, mapping_of, mappings_of
from tasks.domain.cluster_cause import Clue
from tasks.domain.failure_class import FailureClass as F

_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def find_scaling_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each autoscaler that does not do its work."""
    for scaler in snapshot.of_kind("HorizontalPodAutoscaler"):
        yield from _target(snapshot, scaler)
        yield from _conditions(snapshot, scaler)


def _target(snapshot: ClusterSnapshot, scaler: KubeObject) -> Iterator[Clue]:
    ref = mapping_of(scaler.spec.get("scaleTargetRef"))
    kind, name = str(ref.get("kind") or ""), str(ref.get("name") or "")
    target = snapshot.find(kind, scaler.namespace, name)
    quote = spec_quote(scaler, f"scaleTargetRef: {kind}/{name}")
    if (
        kind
        and kind not in _SCALED
        and str(ref.get("apiVersion") or "apps/v1").split("/")[0] in ("apps", "v1", "batch")
    ):
        yield Clue(
            failure_class=F.K8S_HPA,
            rule="cluster-hpa-kind",
            cause=f"{scaler.ref} scales a {kind}, which cannot be scaled.",
            target=scaler.ref,
            quotes=(quote,),
            confidence=0.9,
            rank=25,
        )
    elif kind in _SCALED and target is None and (snapshot.knows(kind) or snapshot.desired_only):
        yield Clue(
            failure_class=F.K8S_HPA,
            rule="cluster-hpa-target",
            cause=f"{scaler.ref} scales {kind} {name}, which does not exist.",
            target=scaler.ref,
            quotes=(quote,),
            confidence=0.92,
            rank=25,
        )
    elif target is not None:
        yield from _requests(snapshot, scaler, target)


def _requests(_snapshot: ClusterSnapshot, scaler: KubeObject, target: KubeObject) -> Iterator[Clue]:
    """Utilization is a share of the request: without one there is nothing to compute."""
    metrics = mappings_of(scaler.spec.get("metrics"))
    shares = [
        str(dig(row, "resource", "name"))
        for row in metrics
        if row.get("type") == "Resource" and dig(row, "resource", "target", "type") in ("Utilization", None)
    ]
    if not metrics and (scaler.spec.get("targetCPUUtilizationPercentage") or scaler.spec.get("maxReplicas")):
        shares = ["cpu"]
    for resource in dict.fromkeys(shares):
        lacking = [
            str(row.get("name"))
            for row in mappings_of(target.pod_spec.get("containers"))
            if not dig(row, "resources", "requests", resource) and not dig(row, "resources", "limits", resource)
        ]
        if lacking and target.pod_spec and not target.sketched:
            active = scaler.condition("ScalingActive")
            proven = active.get("status") == "False"
            quotes = [spec_quote(target, f"container {lacking[0]} has no resources.requests.{resource}")]
            quotes += [status_quote(scaler, f"ScalingActive=False: {active.get('message')}")] if proven else []
            yield Clue(
                failure_class=F.K8S_HPA,
                rule="cluster-hpa-requests",
                cause=f"{scaler.ref} cannot scale {target.ref}: container {lacking[0]} has no resource request for {resource}, of which utilization is a share.",
                target=target.ref,
                victims=(scaler.ref,),
                quotes=tuple(quotes),
                confidence=0.95 if proven else 0.8,
                rank=25,
                hint=False,
            )
            return


def _conditions(snapshot: ClusterSnapshot, scaler: KubeObject) -> Iterator[Clue]:
    for kind in ("AbleToScale", "ScalingActive"):
        condition = scaler.condition(kind)
        if condition.get("status") == "False":
            message = one_line(str(condition.get("message")))
            if condition.get("reason") == "ScalingDisabled":
                continue
            target, why = scaler.ref, ""
            if "metrics.k8s.io" in message or "could not find the requested resource" in message:
                target, why = (
                    ObjectRef(kind="Deployment", namespace="kube-system", name="metrics-server"),
                    ": the metrics server does not answer",
                )
            yield Clue(
                failure_class=F.K8S_HPA,
                rule="cluster-hpa",
                cause=f"{scaler.ref} cannot scale{why}: {message[:200].rstrip('.')}.",
                target=target,
                victims=(scaler.ref,),
                quotes=(status_quote(scaler, f"{kind}=False {condition.get('reason')}: {message}"),),
                confidence=0.85,
                rank=40,
            )
    limited = scaler.condition("ScalingLimited")
    at_most = int_of(scaler.status.get("currentReplicas")) >= int_of(scaler.spec.get("maxReplicas"), 1 << 30)
    too_few = limited.get("reason") == "TooFewReplicas"
    above = int_of(scaler.status.get("currentReplicas")) > int_of(scaler.spec.get("minReplicas"), 1)
    if limited.get("status") == "True" and (above or not too_few):
        yield Clue(
            failure_class=F.K8S_HPA,
            rule="cluster-hpa-limited",
            cause=f"{scaler.ref} would scale further than it may: {one_line(str(limited.get('message')))[:160].rstrip('.')}.",
            target=scaler.ref,
            quotes=(status_quote(scaler, f"ScalingLimited=True {limited.get('reason')}"),),
            confidence=0.6,
            rank=50,
            hint=not at_most,
        )
    if not scaler.status.get("conditions"):
        events = events_saying(
            snapshot, scaler.ref, r"^Failed(?:GetResourceMetric|ComputeMetricsReplicas|GetScale|Rescale|Get\w+Metric)"
        )
        if events:
            yield Clue(
                failure_class=F.K8S_HPA,
                rule="cluster-hpa",
                cause=f"{scaler.ref} cannot scale: {one_line(events[-1].message)[:200].rstrip('.')}.",
                target=scaler.ref,
                quotes=(event_quote(events[-1]),),
                confidence=0.8,
                rank=40,
            )
