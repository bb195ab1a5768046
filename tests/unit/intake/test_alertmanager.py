"""Notifications of Alertmanager become signals and ends, or are refused without repeating what was sent."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tasks.domain.incident import ClusterTarget, Severity, signal_key
from tasks.errors import BadInputError
from tasks.intake import parse_alertmanager
from tasks.intake.alert_target import target_of
from tests.unit.intake.alerts import SAMPLES, alert, bare, notification

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def refused(body: bytes) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        parse_alertmanager(body, now=NOW)
    return caught.value


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"null", b'{"version": "4"'])
def test_body_that_is_no_object_is_refused(raw: bytes) -> None:
    assert refused(raw).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        notification(version="3"),
        notification(alerts=[]),
        notification(alerts="none"),
        notification(alerts=["s3cret-word"]),
        notification(alert(startsAt="s3cret-word")),
        notification(alert(startsAt="2026-03-01T11:50:00")),
        notification(alert(startsAt="2026-03-02T11:50:00Z")),
        notification(alert(status="s3cret-word")),
        notification(alert(status="resolved", endsAt="s3cret-word")),
        notification(alert() | {"labels": "s3cret-word"}),
        notification(truncatedAlerts=-1),
    ],
)
def test_malformed_field_is_refused_by_its_name_only(body: bytes) -> None:
    error = refused(body)
    assert error.status_code == 422
    assert "s3cret-word" not in str(error)


def test_group_is_one_delivery_with_a_signal_for_each_alert() -> None:
    told = parse_alertmanager(notification(alert("A"), alert("B"), alert("C", status="resolved")), now=NOW)
    assert [one.fingerprint for one in told.signals] == ["f-A", "f-B"]
    assert [one.fingerprint for one in told.resolved] == ["f-C"]
    assert {one.delivery_id for one in told.signals} == {told.delivery_id}
    assert {one.group for one in told.signals} == {'{}:{alertname="PodCrashLooping"}'}
    assert told.signals[0].severity is Severity.HIGH


def test_same_notification_again_is_the_same_delivery_and_another_is_not() -> None:
    ids = {
        parse_alertmanager(body, now=NOW).delivery_id for body in (notification(), notification(), notification(bare()))
    }
    assert len(ids) == 2


def test_alert_keeps_its_key_while_it_fires_and_gets_another_when_it_fires_anew() -> None:
    def key(**changes: Any) -> str:
        return signal_key(parse_alertmanager(notification(alert(**changes)), now=NOW).signals[0])

    assert key() == key(annotations={"summary": "restarted 9 times"})
    assert key() != key(startsAt="2026-03-01T11:59:00Z")


def test_alert_without_a_fingerprint_is_known_by_its_labels() -> None:
    def fingerprint(**labels: str) -> str:
        body = notification(alert(fingerprint=None, labels=labels))
        return parse_alertmanager(body, now=NOW).signals[0].fingerprint

    assert fingerprint() == fingerprint()
    assert fingerprint() != fingerprint(pod="cart-7b9d5c4f6-other")


def test_alerts_grouped_by_nothing_share_no_group() -> None:
    body = notification(groupKey="{}:{}", groupLabels={})
    assert parse_alertmanager(body, now=NOW).signals[0].group == ""


def test_alert_that_always_fires_is_no_failure() -> None:
    told = parse_alertmanager(notification(alert("Watchdog")), now=NOW)
    assert (told.signals, "Watchdog" in told.remark) == ((), True)


def test_alerts_that_were_left_out_are_counted() -> None:
    assert "7 more alerts" in parse_alertmanager(notification(truncatedAlerts=7), now=NOW).remark


def test_no_alert_of_a_large_notification_is_left_out() -> None:
    many = [alert(fingerprint=f"{number:016x}") for number in range(2_500)]
    told = parse_alertmanager(notification(*many), now=NOW)
    assert {one.fingerprint for one in told.signals} == {one["fingerprint"] for one in many}
    assert told.remark == ""


def test_notification_whose_last_alert_is_malformed_is_refused_whole() -> None:
    many = [alert(fingerprint=f"{number:016x}") for number in range(2_500)]
    with pytest.raises(BadInputError):
        parse_alertmanager(notification(*many, alert(startsAt="soon")), now=NOW)


def test_alert_may_have_fired_for_a_year() -> None:
    assert parse_alertmanager(notification(alert(startsAt="2025-03-01T11:50:00Z")), now=NOW).signals


@pytest.mark.parametrize(
    ("labels", "kind", "name"),
    [
        ({"deployment": "cart", "pod": "cart-1-x"}, "Deployment", "cart"),
        ({"pod": "cart-1-x"}, "Pod", "cart-1-x"),
        ({"statefulset": "redis"}, "StatefulSet", "redis"),
        ({"job_name": "backup-1", "job": "kube-state-metrics"}, "Job", "backup-1"),
        ({"workload": "cart", "workload_type": "deployment"}, "Deployment", "cart"),
        ({"persistentvolumeclaim": "data-redis-0"}, "PersistentVolumeClaim", "data-redis-0"),
        ({"service": "cart"}, "Service", "cart"),
        ({}, "", ""),
        ({"pod": "Not_A Name; rm -rf /"}, "", ""),
        (
            {"pod": "kube-state-metrics-0", "container": "kube-state-metrics", "deployment": "cart"},
            "Deployment",
            "cart",
        ),
        ({"pod": "kube-state-metrics-0", "container": "kube-state-metrics"}, "", ""),
    ],
)
def test_object_is_the_one_that_a_heal_would_change(labels: dict[str, str], kind: str, name: str) -> None:
    assert target_of({"namespace": "shop", **labels}) == ClusterTarget(namespace="shop", kind=kind, name=name)


def test_labels_that_the_scraper_has_too_are_not_taken_for_the_target() -> None:
    labels = {"namespace": "monitoring", "pod": "prom-0", "exported_namespace": "shop", "exported_pod": "cart-1-x"}
    assert target_of(labels) == ClusterTarget(namespace="shop", kind="Pod", name="cart-1-x")
    assert target_of({**labels, "exported_pod": "", "service": "ksm"}) == ClusterTarget(namespace="shop")


@pytest.mark.parametrize(
    "labels",
    [
        {"node": "worker-1"},
        {"job": "node-exporter", "instance": "worker-1:9100", "namespace": "monitoring", "pod": "node-exporter-x"},
        {"job": "kube-state-metrics", "namespace": "monitoring", "pod": "kube-state-metrics-0", "node": "worker-1"},
    ],
)
def test_node_is_the_target_of_what_is_said_of_it(labels: dict[str, str]) -> None:
    assert target_of(labels) == ClusterTarget(kind="Node", name="worker-1", node="worker-1")


def test_alert_that_names_nothing_there_has_no_target() -> None:
    assert parse_alertmanager(notification(bare()), now=NOW).signals[0].cluster is None


def test_samples_are_read_and_the_damaged_one_is_refused() -> None:
    if not SAMPLES.is_dir():
        pytest.skip(f"no samples of Alertmanager at {SAMPLES}")
    now = datetime.now(UTC)
    read = {
        path.name: parse_alertmanager(path.read_bytes(), now=now)
        for path in SAMPLES.glob("*.json")
        if "invalid" not in path.name
    }
    assert len(read) == 8
    assert len(read["prometheus-msteams-12-alerts.json"].signals) == 12
    assert read["kubernaut-resolved-alert.json"].signals == ()
    crash = read["kubernaut-pod-crash-alert.json"].signals[0]
    assert crash.cluster == ClusterTarget(namespace="production", kind="Deployment", name="payment-service")
    damaged = (SAMPLES / "kubernaut-invalid-payload.json").read_bytes()
    assert refused(damaged).status_code == 400


def test_any_json_is_read_or_refused() -> None:
    for value in (None, 0, "x", [], {}, [[]], {"a": 1}, True, 1e308, "\ud800"):
        for place in ("alerts", "groupLabels", "groupKey", "status", "truncatedAlerts", "version"):
            refused_or_read(json.dumps({**json.loads(notification()), place: value}).encode())
        for place in alert():
            refused_or_read(notification(alert() | {place: value}))


def refused_or_read(body: bytes) -> None:
    try:
        parse_alertmanager(body, now=NOW)
    except BadInputError as error:
        assert error.status_code in (400, 422)
