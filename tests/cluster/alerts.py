"""Alerts as Prometheus and Alertmanager send them of a cluster: the labels of kubernetes-mixin's rules, and its own.

https://github.com/kubernetes-monitoring/kubernetes-mixin/blob/master/alerts/apps_alerts.libsonnet
"""

import json
from datetime import datetime
from hashlib import blake2b
from typing import Any

_SCRAPED = {
    "container": "kube-state-metrics",
    "endpoint": "http",
    "instance": "10.244.0.7:8080",
    "job": "kube-state-metrics",
    "pod": "prometheus-kube-state-metrics-6c8b5b4d7f-x2v9q",
    "prometheus": "monitoring/prometheus",
    "service": "prometheus-kube-state-metrics",
    "severity": "warning",
}
"""What the scraper adds to every series, unless the metric has the label itself (`honorLabels`)."""


def crash_looping(namespace: str, pod: str, *, container: str = "app", **labels: str) -> dict[str, str]:
    """The labels of `KubePodCrashLooping`: the metric names pod and container itself."""
    own = {"namespace": namespace, "pod": pod, "container": container, "reason": "CrashLoopBackOff"}
    return {**_SCRAPED, "alertname": "KubePodCrashLooping", "uid": "a4d4e2cc-0f0c-4b4c", **own, **labels}


def replicas_mismatch(namespace: str, deployment: str, **labels: str) -> dict[str, str]:
    """The labels of `KubeDeploymentReplicasMismatch`: its `pod` is the scraper's."""
    own = {"namespace": namespace, "deployment": deployment}
    return {**_SCRAPED, "alertname": "KubeDeploymentReplicasMismatch", **own, **labels}


def notification(*alerts: dict[str, str], at: datetime, since: datetime | None = None, resolved: bool = False) -> bytes:
    """What Alertmanager posts for a group of alerts by their name, firing `since` then, or well again `at` then."""
    status, begun = "resolved" if resolved else "firing", (since or at).isoformat()
    group = {"alertname": alerts[0]["alertname"]}
    told: list[dict[str, Any]] = [
        {
            "status": status,
            "labels": labels,
            "annotations": {"summary": f"{labels['alertname']} in {labels['namespace']}"},
            "startsAt": begun,
            "endsAt": at.isoformat() if resolved else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example:9090/graph",
            "fingerprint": blake2b(json.dumps(labels, sort_keys=True).encode(), digest_size=8).hexdigest(),
        }
        for labels in alerts
    ]
    whole = {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{group["alertname"]}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "healflow",
        "groupLabels": group,
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": told,
    }
    return json.dumps(whole).encode()
