"""What an automation of Prefect sends through the webhook block -> Signal, or the notice that a heal waits or ended.

The body is ours: `deployments/register.py` writes its template. A run of heal itself is never a signal, or a heal could
feed on its own failure.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from tasks.domain.incident import HealNotice, Ignored, RunRef, Severity, Signal, SignalKind, SignalSource
from tasks.intake.fields import Fields, read_object
from tasks.intake.verify import check_not_future

WATCHED_FLOWS: Mapping[str, SignalKind] = MappingProxyType(
    {
        "provision": SignalKind.TERRAFORM,
        "teardown": SignalKind.TERRAFORM,
        "deploy": SignalKind.ROLLOUT,
        "pipeline": SignalKind.CI_RUN,
    }
)
"""The flows whose failures are healed, and what has failed then."""
FAILED_STATES = ("Failed", "Crashed", "TimedOut")
SUSPENDED = "Suspended"
"""The state of a run that waits for a person."""
HEAL_FLOW = "heal"
OWN_FLOWS = frozenset({HEAL_FLOW, "triage", "remediate"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def parse_prefect(payload: bytes, *, now: datetime) -> Signal | HealNotice | Ignored:
    """Parse one call; it names its own delivery, the id of Prefect's event.

    Raises:
        BadInputError: 400 when the body cannot be read, 422 when a field is missing or malformed.
    """
    fields = Fields(read_object(payload))
    delivery_id, run_id = _uuid(fields, "event_id"), _uuid(fields, "flow_run_id")
    flow, state = fields.text("flow"), fields.text("state")
    if flow == HEAL_FLOW and state.replace(" ", "") in (SUSPENDED, *FAILED_STATES):
        occurred_at = fields.moment("occurred")
        check_not_future(occurred_at, now=now)
        waits = state == SUSPENDED
        return HealNotice(delivery_id=delivery_id, flow_run_id=run_id, waits=waits, occurred_at=occurred_at)
    if flow in OWN_FLOWS:
        return Ignored(delivery_id=delivery_id, event="prefect", reason="heal is never healed by itself")
    if flow not in WATCHED_FLOWS:
        return Ignored(delivery_id=delivery_id, event="prefect", reason="failures of this flow are not watched")
    if state.replace(" ", "") not in FAILED_STATES:
        return Ignored(delivery_id=delivery_id, event="prefect", reason="the run has not failed")
    occurred_at = fields.moment("occurred")
    check_not_future(occurred_at, now=now)
    return Signal(
        source=SignalSource.PREFECT,
        kind=WATCHED_FLOWS[flow],
        delivery_id=delivery_id,
        repository=f"prefect/{flow}",
        branch="",
        commit="",
        run=RunRef(run_id=run_id, workflow=flow),
        title=f"{fields.text('flow_run', limit=100) or flow} {state}",
        severity=Severity.HIGH if flow == "deploy" else Severity.MEDIUM,
        occurred_at=occurred_at,
    )


def _uuid(fields: Fields, name: str) -> str:
    text = fields.text(name)
    if not _UUID.fullmatch(text):
        fields.refuse(name, "is no UUID")
    return text
