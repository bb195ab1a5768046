"""Events in our own format: what is not signed just now by us, or not of the form, is refused without an echo."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.domain.incident import ClusterTarget, RunRef, Severity, SignalKind
from tasks.errors import BadInputError
from tasks.intake import check_event_signature, parse_event

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "s3cret"


def event(**changes: Any) -> dict[str, Any]:
    told = {"id": "e-1", "occurred_at": NOW.isoformat(), "title": "nightly build", "repository": "acme/shop"}
    return told | changes


def body(**changes: Any) -> bytes:
    return json.dumps(event(**changes)).encode()


def signed(payload: bytes, *, secret: str = SECRET, at: datetime = NOW) -> tuple[str, str]:
    stamp = str(int(at.timestamp()))
    made = hmac.new(secret.encode(), f"v1:{stamp}:".encode() + payload, hashlib.sha256).hexdigest()
    return stamp, f"v1={made}"


def test_signature_of_either_secret_of_the_pair_is_good() -> None:
    for secret in ("old", "new"):
        stamp, signature = signed(body(), secret=secret)
        check_event_signature(body(), stamp, signature, ["old", "new"], now=NOW)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_signature_out_of_the_window_is_refused(seconds: int) -> None:
    stamp, signature = signed(body(), at=NOW + timedelta(seconds=seconds))
    with pytest.raises(BadInputError, match="stale"):
        check_event_signature(body(), stamp, signature, [SECRET], now=NOW)


def test_time_of_another_signature_is_refused() -> None:
    _, signature = signed(body(), at=NOW - timedelta(hours=1))
    with pytest.raises(BadInputError, match="does not match"):
        check_event_signature(body(), str(int(NOW.timestamp())), signature, [SECRET], now=NOW)


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        (None, "v1=0"),
        ("", "v1=0"),
        ("x", "v1=0"),
        ("²", "v1=0"),
        ("-1", "v1=0"),
        ("9" * 13, "v1=0"),
        ("1772366400", None),
        ("1772366400", ""),
        ("1772366400", "v1="),
        ("1772366400", "é" * 64),
        ("1772366400", "v1=" + "0" * 64),
    ],
)
def test_malformed_signature_is_refused(stamp: str | None, signature: str | None) -> None:
    with pytest.raises(BadInputError) as caught:
        check_event_signature(body(), stamp, signature, [SECRET], now=NOW)
    assert caught.value.status_code == 401


@pytest.mark.parametrize("secrets", [[], [""], ["other"]])
def test_without_the_secret_nothing_is_accepted(secrets: list[str]) -> None:
    stamp, signature = signed(body())
    with pytest.raises(BadInputError):
        check_event_signature(body(), stamp, signature, secrets, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "s3cret-word!"},
        {"id": ""},
        {"id": None},
        {"title": ""},
        {"repository": "s3cret-word"},
        {"repository": "acme/.."},
        {"branch": "-s3cret-word"},
        {"branch": "a..b"},
        {"commit": "s3cret-word"},
        {"occurred_at": "s3cret-word"},
        {"occurred_at": "2026-03-01T12:00:00"},
        {"occurred_at": "2026-03-02T12:00:00Z"},
        {"occurred_at": "0001-01-01T00:00:00+14:00"},
        {"occurred_at": "9999-12-31T23:59:59-14:00"},
        {"occurred_at": "0001-01-01T00:00:00+14:00", "state": "resolved", "fingerprint": "f"},
        {"kind": "s3cret-word"},
        {"severity": "s3cret-word"},
        {"state": "resolved"},
        {"run": {"id": "../x", "workflow": "w"}},
        {"run": {"id": "1", "workflow": "w", "url": "javascript:s3cret-word"}},
        {"cluster": {"namespace": "s3cret-word; rm"}},
        {"fingerprint": "s3cret word"},
        {"log": "x" * 500_001},
        {"s3cret-word": 1},
    ],
)
def test_malformed_field_is_refused_by_its_name_only(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_event(body(**changes), now=NOW)
    assert caught.value.status_code == 422
    assert "s3cret" not in str(caught.value)


def test_whole_event_is_a_signal() -> None:
    told = parse_event(
        body(
            kind="terraform",
            branch="main",
            commit="a" * 40,
            run={"id": "7", "workflow": "apply", "attempt": 2, "url": "https://ci.example.org/7"},
            severity="high",
            fingerprint="f-1",
            group="release 9",
            dependency="registry.example.org",
            cluster={"namespace": "shop", "kind": "Deployment", "name": "cart"},
        ),
        now=NOW,
    )
    (signal,) = told.signals
    assert told.delivery_id == signal.delivery_id
    assert signal.delivery_id.startswith("events:e-1:")
    assert (signal.kind, signal.severity, signal.branch) == (SignalKind.TERRAFORM, Severity.HIGH, "main")
    assert signal.run == RunRef(run_id="7", attempt=2, workflow="apply", url="https://ci.example.org/7")
    assert signal.cluster == ClusterTarget(namespace="shop", kind="Deployment", name="cart")
    assert (signal.group, signal.dependency) == ("release 9", "registry.example.org")


def test_end_names_what_it_ends() -> None:
    told = parse_event(body(state="resolved", fingerprint="f-1"), now=NOW)
    assert told.signals == ()
    (failed,) = parse_event(body(fingerprint="f-1"), now=NOW).signals
    assert [end.fingerprint for end in told.resolved] == [failed.fingerprint]
    assert failed.fingerprint


def test_fingerprint_is_that_of_its_repository_alone() -> None:
    ours, theirs = (
        parse_event(body(fingerprint="unit-tests", repository=repository), now=NOW).signals[0].fingerprint
        for repository in ("acme/shop", "acme/billing")
    )
    assert ours != theirs
    (end,) = parse_event(body(state="resolved", fingerprint="unit-tests", repository="Acme/Shop"), now=NOW).resolved
    assert end.fingerprint == ours


def test_same_body_is_the_same_event_and_another_one_under_its_id_is_not() -> None:
    first, later = body(), body(occurred_at=(NOW - timedelta(minutes=1)).isoformat())
    names = [parse_event(one, now=NOW).delivery_id for one in (first, first, later)]
    assert names[0] == names[1] != names[2]
    assert len(parse_event(body(id="x" * 100), now=NOW).delivery_id) <= 128


def test_event_keeps_the_name_under_which_it_was_accepted() -> None:
    told = parse_event(body(), now=NOW, delivery_id="events:e-1")
    assert told.delivery_id == told.signals[0].delivery_id == "events:e-1"
