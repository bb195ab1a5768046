"""What an automation of Prefect tells becomes a signal, or is refused by the name of a field."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.domain.incident import HealNotice, Ignored, Signal, SignalKind, SignalSource
from tasks.errors import BadInputError
from tasks.intake import check_bearer, parse_prefect

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def body(**changes: Any) -> bytes:
    told = {
        "event_id": "0196a7a2-0000-7000-8000-000000000001",
        "occurred": NOW.isoformat(),
        "flow": "deploy",
        "flow_run": "brave-otter",
        "flow_run_id": "0196a7a2-0000-7000-8000-000000000002",
        "state": "Failed",
    }
    return json.dumps({**told, **changes}).encode()


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"null"])
def test_body_that_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_prefect(raw, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": "x"},
        {"flow_run_id": "../../etc"},
        {"flow_run_id": None},
        {"occurred": "yesterday"},
        {"occurred": (NOW + timedelta(days=1)).isoformat()},
        {"flow": 7},
    ],
)
def test_malformed_field_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_prefect(body(**changes), now=NOW)
    assert caught.value.status_code == 422


@pytest.mark.parametrize(
    ("flow", "state"),
    [("triage", "Failed"), ("remediate", "Crashed"), ("heal", "Completed"), ("heal", "Paused"), ("heal", "Running")],
)
def test_heal_is_never_healed_by_itself(flow: str, state: str) -> None:
    parsed = parse_prefect(body(flow=flow, state=state), now=NOW)
    assert isinstance(parsed, Ignored)
    assert "never healed by itself" in parsed.reason


@pytest.mark.parametrize(
    ("state", "waits"), [("Suspended", True), ("Failed", False), ("Crashed", False), ("Timed Out", False)]
)
def test_heal_that_waits_or_ended_is_a_notice_and_no_signal(state: str, waits: bool) -> None:
    parsed = parse_prefect(body(flow="heal", state=state), now=NOW)
    assert isinstance(parsed, HealNotice)
    assert (parsed.waits, parsed.flow_run_id) == (waits, "0196a7a2-0000-7000-8000-000000000002")


@pytest.mark.parametrize("changes", [{"flow": "report"}, {"state": "Completed"}, {"state": "Suspended"}])
def test_what_is_not_watched_or_has_not_failed_is_ignored(changes: dict[str, Any]) -> None:
    assert isinstance(parse_prefect(body(**changes), now=NOW), Ignored)


@pytest.mark.parametrize("state", ["Failed", "Crashed", "TimedOut", "Timed Out"])
def test_failed_run_is_a_signal(state: str) -> None:
    parsed = parse_prefect(body(state=state), now=NOW)
    assert isinstance(parsed, Signal)
    assert (parsed.source, parsed.kind) == (SignalSource.PREFECT, SignalKind.ROLLOUT)
    assert parsed.run is not None
    assert parsed.run.run_id == "0196a7a2-0000-7000-8000-000000000002"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic right", "right", "Bearer \xff"])
def test_call_without_a_valid_token_is_refused(header: str | None) -> None:
    with pytest.raises(BadInputError) as caught:
        check_bearer(header, ["right"])
    assert caught.value.status_code == 401


def test_no_token_at_all_accepts_nothing_and_two_are_in_force_while_one_is_rotated() -> None:
    with pytest.raises(BadInputError):
        check_bearer("Bearer ", [""])
    check_bearer("Bearer new", ["new", "old"])
    check_bearer("bearer old", ["new", "old"])
