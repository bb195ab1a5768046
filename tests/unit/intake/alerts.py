"""Builders of notifications in Alertmanager's shape, and the real ones where they are at hand."""

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "alertmanager"
STARTED = "2026-03-01T11:50:00Z"


def alert(name: str = "PodCrashLooping", *, status: str = "firing", **changes: Any) -> dict[str, Any]:
    labels = {"alertname": name, "severity": "critical", "namespace": "shop", "pod": "cart-7b9d5c4f6-qwert"}
    told: dict[str, Any] = {
        "status": status,
        "labels": labels | changes.pop("labels", {}),
        "annotations": {"summary": "Pod is crash looping"},
        "startsAt": STARTED,
        "endsAt": "2026-03-01T11:58:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "fingerprint": f"f-{name}",
    }
    return {key: value for key, value in (told | changes).items() if value is not None}


def bare(name: str = "QueueSlow", **changes: Any) -> dict[str, Any]:
    """An alert that names nothing in a cluster."""
    return alert(name, **changes) | {"labels": {"alertname": name, "queue": "mails"}}


def notification(*alerts: dict[str, Any], **changes: Any) -> bytes:
    told = {
        "version": "4",
        "groupKey": '{}:{alertname="PodCrashLooping"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "healflow",
        "groupLabels": {"alertname": "PodCrashLooping"},
        "alerts": list(alerts or (alert(),)),
    }
    return json.dumps(told | changes).encode()
