"""A freeze holds from its first moment to before its last, in the environments that it names."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tasks.domain.freeze import Freeze, freeze_at
from tasks.settings import Settings

BEGINS = datetime(2026, 12, 23, 18, tzinfo=UTC)
SALE = Freeze(begins=BEGINS, ends=BEGINS + timedelta(days=3), why="the sale")
CLUSTER = Freeze(begins=BEGINS, ends=BEGINS + timedelta(days=9), environments=("cluster",))


@pytest.mark.parametrize(
    ("environment", "hours", "held"),
    [
        ("github", -1, None),
        ("github", 0, SALE),
        ("github", 71, SALE),
        ("github", 72, None),
        ("cluster", 1, CLUSTER),
        ("cluster", 100, CLUSTER),
    ],
)
def test_freeze_holds_in_its_span_and_place(environment: str, hours: int, held: Freeze | None) -> None:
    assert freeze_at((SALE, CLUSTER), environment, BEGINS + timedelta(hours=hours)) == held


def test_freeze_says_until_when_and_why() -> None:
    assert SALE.told == "changes are frozen until 2026-12-26 18:00 UTC (the sale)"


def test_freeze_is_set_with_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [{"begins": "2026-12-23T19:00:00+01:00", "ends": "2026-12-26T19:00:00+01:00", "why": "the sale"}]
    monkeypatch.setenv("HEALFLOW_FREEZES", json.dumps(told))
    assert Settings().freezes == (SALE,)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("2026-12-23T18:00:00", "2026-12-24T18:00:00Z"), ("2026-12-24T18:00:00Z", "2026-12-23T18:00:00Z")],
    ids=["without a zone", "ends first"],
)
def test_freeze_that_cannot_be_meant_is_refused(begins: str, ends: str) -> None:
    with pytest.raises(ValidationError):
        Freeze.model_validate({"begins": begins, "ends": ends})
