"""Where in a cluster an alert happens, read from its labels; the scraper's own labels are not mistaken for it."""

import re
from collections.abc import Mapping

from tasks.domain.incident import ClusterTarget
from tasks.intake.alert_labels import about

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"""
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{1,62}")
_KINDS = (
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("replicaset", "ReplicaSet"),
    ("pod", "Pod"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("poddisruptionbudget", "PodDisruptionBudget"),
    ("resourcequota", "ResourceQuota"),
    ("ingress", "Ingress"),
    ("service", "Service"),
)
"""kube-state-metrics' labels, what changes in a heal before what it makes:
https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics. `job` is Prometheus's own and no Job."""
_WORKLOAD_KINDS = {kind.lower(): kind for _, kind in _KINDS[:7]}


def target_of(labels: Mapping[str, str]) -> ClusterTarget | None:
    """The object that the labels name, else its namespace, else the node; `None` when they name nothing there.

    Labels that name no object that Kubernetes would take are passed over.
    """
    told = about(labels)
    node = _name(told.get("node", ""))
    namespace = _name(told.get("namespace", ""))
    if namespace:
        kind, name = _object(told)
        return ClusterTarget(namespace=namespace, kind=kind, name=name, node=node)
    if volume := _name(told.get("persistentvolume", "")):
        return ClusterTarget(kind="PersistentVolume", name=volume)
    return ClusterTarget(kind="Node", name=node, node=node) if node else None


def _object(told: Mapping[str, str]) -> tuple[str, str]:
    kind = _WORKLOAD_KINDS.get(told.get("workload_type", "").lower(), "")
    if kind and (name := _name(told.get("workload", ""))):
        return kind, name
    for label, kind in _KINDS:
        if name := _name(told.get(label, "")):
            return kind, name
    name = _name(told.get("name", ""))
    return (told["kind"], name) if name and _KIND.fullmatch(told.get("kind", "")) else ("", "")


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) else ""
