"""Whose alert it is: label sets as projects document them, and the object, node, severity and dependency in each.

Only names of labels are theirs; all values are made up. Labels that Prometheus adds where it scrapes are in `SCRAPED`.
"""

from typing import Any

import pytest

from tasks.domain.base import Noun
from tasks.domain.incident import ClusterTarget, Severity, Signal
from tasks.intake import parse_alertmanager
from tests.unit.intake.alerts import alert, notification
from tests.unit.intake.test_alertmanager import NOW, refused

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
Labels = dict[str, str]


def scraped(exporter: str, instance: str = "10.244.1.7:8080", **more: str) -> Labels:
    """What the scraper adds: the pod and the Service of the exporter, not of what the alert is about."""
    own = {"job": exporter, "container": exporter, "service": f"prom-{exporter}", "endpoint": "http-metrics"}
    return {**own, "namespace": "monitoring", "pod": f"prom-{exporter}-6c8b5b4d7f-x2v9q", "instance": instance, **more}


class Read(Noun):
    """What an alert is read as."""

    kind: str = ""
    name: str = ""
    namespace: str = ""
    node: str = ""
    severity: Severity = MEDIUM
    dependency: str = ""
    nowhere: bool = False
    elsewhere: str = ""


def node(name: str, **more: Any) -> Read:
    return Read(kind="Node", name=name, node=name, **more)


def shop(kind: str = "", name: str = "", **more: Any) -> Read:
    return Read(kind=kind, name=name, namespace="shop", **more)


KSM, NODES, BLACKBOX = "kube-state-metrics", "node-exporter", "blackbox-exporter"
KUBELET = {"job": "kubelet", "service": "prom-kubelet", "endpoint": "https-metrics", "metrics_path": "/metrics"}
KUBELET |= {"instance": "10.0.0.5:10250", "node": "worker-1"}
POD = "cart-7b9d5c4f6-xw2zt"
IN_SHOP = {"namespace": "shop"}
EXPORTED = {"exported_namespace": "shop"}

CASES: dict[str, tuple[Labels, Read]] = {
    # kubernetes-mixin, as kube-prometheus-stack brings it
    "KubePodCrashLooping": (
        scraped(KSM) | IN_SHOP | {"pod": POD, "container": "app", "reason": "CrashLoopBackOff", "uid": "a4d4e2cc"},
        shop("Pod", POD),
    ),
    "KubeDeploymentRolloutStuck": (
        scraped(KSM) | IN_SHOP | {"deployment": "cart", "condition": "Progressing", "status": "false"},
        shop("Deployment", "cart"),
    ),
    "KubeDeploymentReplicasMismatch": (
        scraped(KSM) | EXPORTED | {"exported_pod": "", "deployment": "cart"},
        shop("Deployment", "cart"),
    ),
    "KubeStatefulSetUpdateNotRolledOut": (
        scraped(KSM) | IN_SHOP | {"statefulset": "redis", "revision": "redis-6d"},
        shop("StatefulSet", "redis"),
    ),
    "KubeDaemonSetMisScheduled": (scraped(KSM) | IN_SHOP | {"daemonset": "agent"}, shop("DaemonSet", "agent")),
    "KubeJobFailed": (
        scraped(KSM) | IN_SHOP | {"job_name": "import-29153220", "condition": "true", "reason": "BackoffLimitExceeded"},
        shop("Job", "import-29153220"),
    ),
    "KubeHpaMaxedOut": (
        scraped(KSM) | IN_SHOP | {"horizontalpodautoscaler": "cart"},
        shop("HorizontalPodAutoscaler", "cart"),
    ),
    "KubePdbNotEnoughHealthyPods": (
        scraped(KSM) | IN_SHOP | {"poddisruptionbudget": "cart"},
        shop("PodDisruptionBudget", "cart"),
    ),
    "KubeQuotaFullyUsed": (
        scraped(KSM) | IN_SHOP | {"resourcequota": "team", "resource": "requests.cpu", "severity": "info"},
        shop("ResourceQuota", "team", severity=LOW),
    ),
    "CPUThrottlingHigh": ({"cluster": "", "container": "app", **IN_SHOP, "pod": POD}, shop("Pod", POD)),
    "KubeNodeNotReady": (
        scraped(KSM) | {"node": "worker-1", "condition": "Ready", "status": "true", "severity": "critical"},
        node("worker-1", severity=HIGH),
    ),
    "KubeletTooManyPods": ({"cluster": "", "node": "worker-1", "severity": "info"}, node("worker-1", severity=LOW)),
    "KubeletPodStartUpLatencyHigh": (KUBELET | {"namespace": "kube-system"}, node("worker-1")),
    "KubePersistentVolumeFillingUp": (
        KUBELET | IN_SHOP | {"persistentvolumeclaim": "data-redis-0", "severity": "critical"},
        shop("PersistentVolumeClaim", "data-redis-0", node="worker-1", severity=HIGH),
    ),
    "KubePersistentVolumeErrors": (
        scraped(KSM) | {"persistentvolume": "pvc-1f2e", "phase": "Failed", "severity": "critical"},
        Read(kind="PersistentVolume", name="pvc-1f2e", severity=HIGH),
    ),
    "container_oom_events_total of cAdvisor": (
        KUBELET | IN_SHOP | {"metrics_path": "/metrics/cadvisor", "container": "app", "pod": POD, "name": "5f0c"},
        shop("Pod", POD, node="worker-1"),
    ),
    "KubeAPIErrorBudgetBurn": (
        {"long": "1h", "short": "5m", "severity": "critical"},
        Read(nowhere=True, severity=HIGH),
    ),
    "TargetDown": ({"job": "cart", **IN_SHOP, "service": "cart"}, shop("Service", "cart")),
    # node-exporter
    "NodeFilesystemSpaceFillingUp": (
        scraped(NODES, "worker-1:9100") | {"device": "/dev/sda1", "mountpoint": "/", "fstype": "ext4"},
        node("worker-1"),
    ),
    "NodeFilesystemAlmostOutOfSpace by address": (scraped(NODES, "10.0.0.5:9100"), node("10.0.0.5")),
    "NodeClockSkewDetected without an operator": ({"job": "node", "instance": "worker-1:9100"}, node("worker-1")),
    # blackbox-exporter
    "probe of a host": (
        scraped(BLACKBOX, "https://pay.example.com/healthz", target="https://pay.example.com/healthz"),
        Read(nowhere=True, dependency="pay.example.com"),
    ),
    "probe of a Service": (
        scraped(BLACKBOX, "http://cart.shop.svc.cluster.local:8080/healthz"),
        shop("Service", "cart"),
    ),
    "Probe of the operator for an Ingress": (
        {"job": "probe/monitoring/front", **IN_SHOP, "ingress": "front", "instance": "https://shop.example.com/"},
        shop("Ingress", "front", dependency="shop.example.com"),
    ),
    # cert-manager
    "CertManagerCertNotReady": (
        scraped("cert-manager") | EXPORTED | {"name": "shop-tls", "condition": "False", "issuer_kind": "ClusterIssuer"},
        shop("Certificate", "shop-tls"),
    ),
    "CertManagerAbsent": ({"job": "cert-manager", "severity": "critical"}, Read(nowhere=True, severity=HIGH)),
    # others
    "NGINXTooMany500s": (
        scraped("controller") | EXPORTED | {"exported_service": "cart", "ingress": "front", "status": "500"},
        shop("Ingress", "front"),
    ),
    "IstioHigh5xx": (
        {
            "reporter": "source",
            "namespace": "checkout",
            "pod": "checkout-1-x",
            "destination_service_name": "cart",
            "destination_service_namespace": "shop",
            "destination_workload": "cart",
        },
        shop("Service", "cart"),
    ),
    "ArgoCdAppUnhealthy": (
        scraped("argocd-metrics") | {"name": "cart", "dest_namespace": "shop", "health_status": "Degraded"},
        shop(),
    ),
    "ArgoCdAppUnhealthy of another cluster": (
        scraped("argocd-metrics") | {"dest_namespace": "shop", "dest_server": "https://10.9.0.1:6443"},
        Read(nowhere=True),
    ),
    "FluxReconciliationFailure": (
        scraped("manager") | EXPORTED | {"kind": "HelmRelease", "name": "cart", "type": "Ready", "status": "False"},
        shop("HelmRelease", "cart"),
    ),
    "DCGM_FI_DEV_XID_ERRORS": (scraped("dcgm") | EXPORTED | {"exported_pod": POD, "gpu": "0"}, shop("Pod", POD)),
    "a pushed series": (
        scraped("pushgateway") | {"exported_job": "backup", "exported_instance": "db-1"},
        Read(nowhere=True),
    ),
    # Loki's ruler, vmalert and Mimir's ruler send through an Alertmanager
    "HighErrorRate of Loki": (
        {**IN_SHOP, "app": "cart", "pod": POD, "container": "app", "job": "shop/cart", "filename": "/var/log/0.log"},
        shop("Pod", POD),
    ),
    "vmalert": ({"alertgroup": "shop", **IN_SHOP, "deployment": "cart"}, shop("Deployment", "cart")),
    "MimirIngesterUnhealthy": (
        {"cluster": "shop-us", "namespace": "mimir", "job": "mimir/ingester", "severity": "critical"},
        Read(nowhere=True, severity=HIGH, elsewhere="shop-us"),
    ),
    "OpenTelemetry": (
        {"k8s_namespace_name": "shop", "k8s_deployment_name": "cart", "k8s_pod_name": POD, "severity": "P1"},
        shop("Deployment", "cart", severity=HIGH),
    ),
    "OpenTelemetry of another cluster": (
        {"k8s_cluster_name": "shop-us", "k8s_namespace_name": "shop", "k8s_pod_name": POD},
        Read(nowhere=True, elsewhere="shop-us"),
    ),
    "Prometheus's example of 2018": ({"kubernetes_namespace": "shop", "kubernetes_pod_name": POD}, shop("Pod", POD)),
    # managed by Grafana
    "Grafana": (
        {"grafana_folder": "Shop", **IN_SHOP, "deployment": "cart", "severity": "major"},
        shop("Deployment", "cart", severity=HIGH),
    ),
    "DatasourceNoData": (
        {"rulename": "Cart is slow", "datasource_uid": "p1", "ref_id": "A", **IN_SHOP, "deployment": "cart"},
        Read(nowhere=True),
    ),
}


def read(labels: Labels, name: str = "SomeAlert", **changes: Any) -> Signal:
    body = notification(alert(name) | {"labels": {"alertname": name, "severity": "warning", **labels}}, **changes)
    (signal,) = parse_alertmanager(body, now=NOW, own_cluster="shop-eu").signals
    return signal


@pytest.mark.parametrize("case", CASES)
def test_alert_is_about_what_its_labels_name(case: str) -> None:
    labels, expected = CASES[case]
    signal = read(labels)
    place = ClusterTarget(namespace=expected.namespace, kind=expected.kind, name=expected.name, node=expected.node)
    assert signal.cluster == (None if expected.nowhere else place)
    assert (signal.severity, signal.dependency) == (expected.severity, expected.dependency)
    assert signal.elsewhere == expected.elsewhere


@pytest.mark.parametrize("case", CASES)
def test_name_of_an_alert_decides_nothing(case: str) -> None:
    labels, _ = CASES[case]
    names = (case.split(maxsplit=1)[0], "Renamed", "KubeNodeNotReady", "CertManagerAbsent")
    told = [read(labels, name).cluster for name in names]
    assert len(set(told)) == 1


def grafana(told: dict[str, Any], **changes: Any) -> bytes:
    """Grafana's contact point: Alertmanager's format, with fields of its own, that it calls version 1."""
    own = {
        "silenceURL": "https://grafana.example/silence",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"B": 3, "C": 1},
    }
    rest = {"orgId": 1, "state": "alerting", "title": "[FIRING:1]", "message": "**Firing**", "version": "1"}
    return notification(told | own | {"valueString": "[ var='B' labels={pod=cart} value=3 ]"}, **rest | changes)


def test_grafana_is_read_as_alertmanager_is() -> None:
    told = alert(fingerprint="c6eadffa33fcdf37", startsAt="2026-03-01T12:50:00.157076+01:00")
    (signal,) = parse_alertmanager(grafana(told), now=NOW).signals
    (same,) = parse_alertmanager(notification(told), now=NOW).signals
    assert signal.model_copy(update={"delivery_id": same.delivery_id}) == same
    assert refused(notification(told, version="1")).status_code == 422, "without Grafana's own fields it is none of it"


@pytest.mark.parametrize("reason", ["MissingSeries", "NoData", "Error", "Paused", "RuleDeleted", "Updated"])
def test_alert_that_grafana_ends_because_it_sees_nothing_is_no_end_where_nothing_can_be_looked_at(reason: str) -> None:
    silent = {"annotations": {"grafana_state_reason": reason}, "status": "resolved", "endsAt": "2026-03-01T11:58:00Z"}
    told = parse_alertmanager(grafana(alert() | silent | {"labels": {"alertname": "Slow"}}), now=NOW)
    assert (told.resolved, reason in told.remark) == ((), True)
    assert parse_alertmanager(grafana(alert() | silent), now=NOW).resolved != (), "this is looked at"


def test_severity_none_is_what_always_fires_whatever_it_is_called() -> None:
    told = parse_alertmanager(notification(alert("StillHere", labels={"severity": "none"})), now=NOW)
    assert (told.signals, told.remark) == ((), "StillHere always fires and is no failure")
