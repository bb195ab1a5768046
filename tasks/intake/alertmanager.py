"""Alertmanager's webhook -> signals: one for each alert that fires, one end for each that no longer does.

The format is https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4; Grafana's contact
point speaks it with fields of its own, and calls it version 1. A notification has no id and no time of its own: its id
is a digest of it, so that one that is sent again is the same delivery. An alert may fire for weeks, so its age says
nothing about a replay.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b

from tasks.domain.alert import alert_fingerprint
from tasks.domain.incident import Delivery, Resolved, Severity, Signal, SignalKind, SignalSource
from tasks.intake.alert_labels import plain_labels, probed_host
from tasks.intake.alert_target import target_of
from tasks.intake.fields import Fields, clean_text, read_object
from tasks.intake.verify import check_not_future

VERSION, GRAFANA_VERSION = "4", "1"
_SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.HIGH,
    "page": Severity.HIGH,
    "error": Severity.HIGH,
    "high": Severity.HIGH,
    "emergency": Severity.HIGH,
    "fatal": Severity.HIGH,
    "major": Severity.HIGH,
    "p1": Severity.HIGH,
    "sev1": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "warn": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "p2": Severity.MEDIUM,
    "sev2": Severity.MEDIUM,
}
_NO_FAILURES = frozenset({"Watchdog", "DeadMansSwitch", "InfoInhibitor"})
"""They always fire, to show that alerts arrive or to mute others:
https://runbooks.prometheus-operator.dev/runbooks/general/watchdog/. Their severity is `none`, where it is given."""
_NO_ENDS = frozenset({"MissingSeries", "NoData", "Error", "Paused", "Updated", "RuleDeleted"})
"""Why Grafana ends an alert of which it sees nothing any more, in an annotation:
https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/"""


def parse_alertmanager(payload: bytes, *, now: datetime, own_cluster: str = "") -> Delivery:
    """Parse one notification of a group of alerts.

    An alert whose label `cluster` is not `own_cluster` happens elsewhere; while that is empty, the label says nothing.

    Raises:
        BadInputError: 400 when the body cannot be read, 422 when a field is missing or malformed; nothing of the body
            is repeated.
    """
    fields = Fields(read_object(payload))
    version = fields.text("version", limit=8)
    if version != VERSION and not (version == GRAFANA_VERSION and fields.has("orgId")):
        fields.refuse("version", f"is not {VERSION}, or Grafana's {GRAFANA_VERSION}, which are known")
    delivery_id = f"alertmanager-{blake2b(payload, digest_size=20).hexdigest()}"
    group, together, count = _group(fields), fields.text("status", limit=16), fields.length("alerts")
    read = [_parse(alert, delivery_id, group, together, now) for alert in fields.each("alerts", most=count)]
    told = [_placed(one, own_cluster) if isinstance(one, Signal) else one for one in read]
    if not told:
        fields.refuse("alerts", "holds no alert")
    return Delivery(
        delivery_id=delivery_id,
        signals=tuple({one.fingerprint: one for one in told if isinstance(one, Signal)}.values()),
        resolved=tuple(one for one in told if isinstance(one, Resolved)),
        remark="; ".join(_remarks(fields, told)),
    )


def _parse(alert: Fields, delivery_id: str, group: str, together: str, now: datetime) -> Signal | Resolved | str:
    """What one alert says; why it says nothing when it reports neither a failure nor the end of one."""
    labels, annotations = alert.texts("labels"), alert.texts("annotations")
    name = clean_text(labels.get("alertname", ""), limit=100) or "alert"
    if name in _NO_FAILURES or labels.get("severity", "").lower() == "none":
        return f"{name} always fires and is no failure"
    status = alert.text("status", limit=16) or together
    if status not in ("firing", "resolved"):
        alert.refuse("status", "is neither firing nor resolved")
    starts_at = alert.moment("startsAt")
    place = target_of(labels)
    title = clean_text(": ".join(part for part in (name, annotations.get("summary", "")) if part), limit=200)
    if status == "resolved":
        silent = annotations.get("grafana_state_reason", "")
        if silent in _NO_ENDS and place is None:
            return f"{name} ended because of {silent}, which says nothing of the failure"
        ends_at = alert.moment("endsAt")
        return Resolved(
            source=SignalSource.ALERTMANAGER,
            fingerprint=alert_fingerprint(alert.raw),
            title=title,
            resolved_at=max(starts_at, min(ends_at, now)),
        )
    check_not_future(starts_at, now=now)
    return Signal(
        source=SignalSource.ALERTMANAGER,
        kind=SignalKind.ALERT,
        delivery_id=delivery_id,
        repository=f"alertmanager/{name}",
        branch="",
        commit="",
        title=title,
        cluster=place,
        elsewhere=clean_text(plain_labels(labels).get("cluster", ""), limit=100),
        fingerprint=alert_fingerprint(alert.raw),
        group=group,
        dependency=labels.get("dependency", "") or probed_host(labels),
        severity=_SEVERITIES.get(labels.get("severity", "").lower(), Severity.LOW),
        occurred_at=starts_at.astimezone(UTC),
    )


def _placed(signal: Signal, own_cluster: str) -> Signal:
    """The signal without the cluster that its label names where that is ours, else without its place in ours."""
    if own_cluster and signal.elsewhere and signal.elsewhere != own_cluster:
        return signal.model_copy(update={"cluster": None})
    return signal.model_copy(update={"elsewhere": ""})


def _group(fields: Fields) -> str:
    """The group's key; empty where alerts are not grouped by anything, and share one group for no reason."""
    return fields.text("groupKey", limit=300) if fields.texts("groupLabels") else ""


def _remarks(fields: Fields, told: list[Signal | Resolved | str]) -> list[str]:
    remarks = sorted({one for one in told if isinstance(one, str)})
    left_out = fields.count("truncatedAlerts")
    return [*remarks, f"{left_out} more alerts of the group are not listed"] if left_out else remarks
