"""Reads as evidence what an event brought with it, where its sender cannot be asked: an alert's labels, a log's end."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.collect.redact import redact
from tasks.domain.alert import alert_fingerprint
from tasks.domain.evidence import MAX_LINE_CHARACTERS, Evidence, EvidenceLine, LineRole, UnreadableSource
from tasks.domain.signature import Signature

MAX_LINES = 60


def read_alert(body: bytes, fingerprint: str, *, elsewhere: str = "") -> Evidence:
    """The labels and annotations of one alert of a notification, and what was not looked at because of them.

    `elsewhere` is the other cluster that it happens in.

    No rule is asked about them: what somebody wrote about a failure is no sign of its cause.
    """
    alert = _find(body, fingerprint)
    told = [*_texts(alert.get("labels")), *_texts(alert.get("annotations"))]
    name = next((said for key, said in told if key == "alertname"), "alert")
    lines = tuple(
        EvidenceLine(
            id=f"E{number}",
            source=f"alert:{name}"[:200],
            text=redact(f"{key}: {said}")[:MAX_LINE_CHARACTERS],
            role=LineRole.CONTEXT,
        )
        for number, (key, said) in enumerate(told[:MAX_LINES], 1)
    )
    why = "the alert's labels name no namespace and no node, so that there is nothing to look at"
    if elsewhere:
        why = f"the alert's label names the cluster {elsewhere}, which is not the one that is healed here"
    return Evidence(
        lines=lines, unreadable=(UnreadableSource(source="cluster", reason=why),), truncated=len(told) > MAX_LINES
    )


def read_event_log(body: bytes, *, name: str, signatures: Sequence[Signature]) -> Evidence:
    """The log that an event in our own format brought, or that it brought none."""
    document = json.loads(body)
    log = document.get("log") if isinstance(document, Mapping) else None
    if not isinstance(log, str) or not log.strip():
        why = "the event brought no log; its sender may put the end of one into the field 'log'"
        return Evidence(unreadable=(UnreadableSource(source=f"log:{name}", reason=why),))
    scan = scan_log(io.BytesIO(log.encode(errors="replace")), source=f"log:{name}", signatures=signatures)
    return Evidence(lines=number_evidence([scan]), truncated=scan.truncated)


def _find(body: bytes, fingerprint: str) -> Mapping[str, object]:
    document = json.loads(body)
    alerts = document.get("alerts", ()) if isinstance(document, Mapping) else ()
    found = (one for one in alerts if isinstance(one, Mapping) and alert_fingerprint(one) == fingerprint)
    return next(found, {})


def _texts(told: object) -> Iterator[tuple[str, str]]:
    """One line each, whatever was in it."""
    if isinstance(told, Mapping):
        for key, said in told.items():
            if isinstance(said, str):
                yield " ".join(str(key).split())[:100], " ".join(said.split())[:MAX_LINE_CHARACTERS]
