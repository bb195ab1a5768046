"""What the labels of an alert are about: names of other conventions translated, and the scraper's own labels left out.

Prometheus adds to every series where it was scraped from, in the very labels that else say what it is about.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

Labels = Mapping[str, str]

_SAME = {
    **{f"k8s_{kind}_name": kind for kind in ("namespace", "pod", "node", "cluster")},
    **{f"k8s_{kind}_name": kind for kind in ("deployment", "statefulset", "daemonset", "replicaset", "cronjob")},
    "k8s_job_name": "job_name",
    "kubernetes_namespace": "namespace",
    "kubernetes_pod_name": "pod",
    "kubernetes_node": "node",
    "hpa": "horizontalpodautoscaler",
}
"""OpenTelemetry's resource attributes, https://opentelemetry.io/docs/specs/semconv/resource/k8s/; the names of
Prometheus's own example for Kubernetes; what kube-state-metrics called an autoscaler before its second version."""
_OF_THE_SCRAPER = frozenset({"pod", "service", "container", "endpoint"})
_WHICH_SERIES = frozenset({"job", "instance", "pod", "service", "container"})
_NOT_MEASURED = frozenset({"datasource_uid", "rulename"})
"""Of Grafana's `DatasourceError` and `DatasourceNoData`, which say that a rule could not look:
https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/"""
_OWN_SERVER = ("", "https://kubernetes.default.svc")
"""Argo CD's name for the cluster that it runs in."""
_PORT = re.compile(r":\d{1,5}\Z")
_IN_CLUSTER = re.compile(r"(?P<service>[a-z0-9-]{1,63})\.(?P<namespace>[a-z0-9-]{1,63})\.svc(?:\.[a-z0-9.-]+)?")
_KINDS_OF_KUBELET = ("pod", "persistentvolumeclaim")


def plain_labels(labels: Labels) -> Labels:
    """The labels by the names that Prometheus and kube-state-metrics give them."""
    return {**{_SAME[name]: said for name, said in labels.items() if name in _SAME}, **labels}


def about(labels: Labels) -> Labels:
    """Only what says which object the alert is about; empty when it is about none in the cluster."""
    if labels.keys() >= _NOT_MEASURED:
        return {}
    labels = plain_labels(labels)
    told = _of_another(labels)
    scraper = f"{labels.get('job', '')} {labels.get('container', '')}"
    read = next((read for pattern, read in _READERS if pattern.search(scraper)), None)
    return read(told, labels) if read is not None else told


def probed_host(labels: Labels) -> str:
    """The host that a prober asked and that did not answer, where it is none in the cluster; else empty."""
    if not _PROBES.search(f"{labels.get('job', '')} {labels.get('container', '')}"):
        return ""
    host = _asked(labels)
    return "" if _IN_CLUSTER.fullmatch(host) else host


def _of_another(labels: Labels) -> Labels:
    """What a series says of something else than whoever gave it. Prometheus renames a metric's label to `exported_…`
    where the scraper has it too:
    https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config (honor_labels)."""
    if labels.get("destination_service_namespace", "unknown") != "unknown":  # Istio
        name = labels.get("destination_service_name", "").partition(".")[0]
        return {"namespace": labels["destination_service_namespace"], "service": name}
    if labels.get("dest_namespace"):  # Argo CD's application, which stands in Argo's own namespace
        here = labels.get("dest_server", "") in _OWN_SERVER
        return {"namespace": labels["dest_namespace"]} if here else {}
    exported = {name.removeprefix("exported_"): said for name, said in labels.items() if name.startswith("exported_")}
    told = {**labels, **exported}
    left_out = frozenset[str]()
    if "namespace" in exported:
        left_out = _OF_THE_SCRAPER
    elif exported.keys() & _WHICH_SERIES:  # as of a pushed series: where it was scraped says nothing
        left_out = _OF_THE_SCRAPER | {"namespace"}
    return {name: said for name, said in told.items() if name not in left_out or name in exported}


def _of_nodes(told: Labels, labels: Labels) -> Labels:
    return {"node": told.get("node") or told.get("nodename") or _PORT.sub("", labels.get("instance", ""))}


def _of_kubelet(told: Labels, labels: Labels) -> Labels:
    """Of what runs on a node, or of the node."""
    if any(told.get(kind) for kind in _KINDS_OF_KUBELET):
        return {name: said for name, said in told.items() if name not in ("service", "endpoint")}
    return _of_nodes(told, labels)


def _of_objects(told: Labels, labels: Labels) -> Labels:
    told = {
        name: said for name, said in told.items() if name not in _OF_THE_SCRAPER or "kube-state-metrics" not in said
    }
    if told.get("persistentvolume") and not told.get("persistentvolumeclaim"):
        return {"persistentvolume": told["persistentvolume"]}
    others = [name for name in told if name in _OBJECTS]
    if "exported_node" in labels or ("node" in told and not others):
        return {"node": told["node"]}
    return told


_OBJECTS = frozenset(
    {
        *("deployment", "statefulset", "daemonset", "cronjob", "job_name", "replicaset", "pod", "service", "ingress"),
        *("persistentvolumeclaim", "horizontalpodautoscaler", "poddisruptionbudget", "resourcequota"),
    }
)


def _of_probes(told: Labels, labels: Labels) -> Labels:
    """The Service or Ingress that was asked; where the prober runs says nothing."""
    inside = _IN_CLUSTER.fullmatch(_asked(labels))
    if inside is not None:
        return inside.groupdict()
    if told.get("ingress") or not labels.keys() & {"pod", "container"}:
        return {name: said for name, said in told.items() if name not in _OF_THE_SCRAPER}
    return {}


def _asked(labels: Labels) -> str:
    asked = labels.get("target") or labels.get("instance", "")
    try:
        host = urlsplit(asked if "://" in asked else f"//{asked}").hostname
    except ValueError:
        return ""
    return host or ""


def _of_certificates(told: Labels, _labels: Labels) -> Labels:
    if not told.get("name"):
        return told
    return {"namespace": told.get("namespace", ""), "kind": "Certificate", "name": told["name"]}


_PROBES = re.compile(r"blackbox|(?:^| )probe/")
_READERS: tuple[tuple[re.Pattern[str], Callable[[Labels, Labels], Labels]], ...] = (
    (re.compile(r"node[-_]exporter|^node "), _of_nodes),
    (re.compile(r"^kubelet "), _of_kubelet),
    (re.compile("kube-state-metrics"), _of_objects),
    (_PROBES, _of_probes),
    (re.compile("cert-manager"), _of_certificates),
)
"""By whose metric it is, as the labels `job` and `container` tell: what it is about."""
