"""Where in a cluster an alert happens, read from its labels; the scraper's own labels are not mistaken for it."""

import re
from collections.abc import Mapping

from tasks.domain.incident import ClusterTarget

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"""
_PORT = re.compile(r":\d{1,5}\Z")
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
    ("ingress", "Ingress"),
    ("service", "Service"),
)
"""kube-state-metrics' labels, what changes in a heal before what it makes:
https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics. `job` is Prometheus's own and no Job."""
_WORKLOAD_KINDS = {kind.lower(): kind for _, kind in _KINDS[:7]}
_ABOUT_NODES, _ABOUT_OBJECTS = "node-exporter", "kube-state-metrics"
_OF_THE_SCRAPER = ("pod", "service", "container", "endpoint")


def target_of(labels: Mapping[str, str]) -> ClusterTarget | None:
    """The object that the labels name, else its namespace, else the node; `None` when they name nothing there.

    Labels that name no object that Kubernetes would take are passed over.
    """
    told = _without_the_scraper(labels)
    node = _name(told.get("node", ""))
    namespace = _name(told.get("namespace", ""))
    if namespace:
        kind, name = _object(told)
        return ClusterTarget(namespace=namespace, kind=kind, name=name, node=node)
    return ClusterTarget(kind="Node", name=node, node=node) if node else None


def _without_the_scraper(labels: Mapping[str, str]) -> Mapping[str, str]:
    """What the alert is about. Prometheus renames a metric's label to `exported_…` where the scraper has it too:
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config (honor_labels)."""
    exported = {name.removeprefix("exported_"): said for name, said in labels.items() if name.startswith("exported_")}
    told = {**labels, **exported}
    if "namespace" in exported:
        told = {name: said for name, said in told.items() if name not in _OF_THE_SCRAPER or name in exported}
    scraper = f"{labels.get('job', '')} {labels.get('container', '')}"
    if _ABOUT_NODES in scraper:
        node = told.get("node") or told.get("nodename") or _PORT.sub("", told.get("instance", ""))
        return {"node": node}
    if _ABOUT_OBJECTS in scraper:
        told = {name: said for name, said in told.items() if not _is_the_scraper(name, said)}
        if "node" in exported or ("node" in told and not any(name in told for name, _ in _KINDS)):
            return {"node": told["node"]}
    return told


def _is_the_scraper(name: str, said: str) -> bool:
    return name in _OF_THE_SCRAPER and _ABOUT_OBJECTS in said


def _object(told: Mapping[str, str]) -> tuple[str, str]:
    kind = _WORKLOAD_KINDS.get(told.get("workload_type", "").lower(), "")
    if kind and (name := _name(told.get("workload", ""))):
        return kind, name
    for label, kind in _KINDS:
        if name := _name(told.get(label, "")):
            return kind, name
    return "", ""


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) else ""
