"""The rules of a storm: what belongs together does, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.domain.grouping import Gathering, GroupedBy, GroupKey
from tasks.domain.incident import ClusterTarget, IncidentStatus, Signal, SignalKind, SignalSource
from tasks.intake import choose_incident, group_keys

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def signal(*, commit: str = "", cluster: ClusterTarget | None = None, group: str = "", dependency: str = "") -> Signal:
    return Signal(
        source=SignalSource.EVENTS,
        kind=SignalKind.ALERT,
        delivery_id="d",
        repository="octo/shop",
        branch="",
        commit=commit,
        title="t",
        cluster=cluster,
        group=group,
        dependency=dependency,
        occurred_at=NOW,
    )


def gathering(
    by: GroupedBy, *, seconds_ago: float = 10, status: IncidentStatus = IncidentStatus.OPEN, name: str = "inc-1"
) -> Gathering:
    key = GroupKey(by=by, value="v")
    return Gathering(incident_id=name, key=key, status=status, newest_at=NOW - timedelta(seconds=seconds_ago))


def chosen(*gatherings: Gathering) -> str | None:
    found = choose_incident(gatherings, now=NOW, window_seconds=300)
    return found.incident_id if found else None


def test_signal_without_anything_in_common_has_no_key() -> None:
    assert group_keys(signal()) == ()
    assert group_keys(signal(cluster=ClusterTarget(namespace="shop"))) == ()


def test_keys_are_what_can_be_shared_the_closest_first() -> None:
    place = ClusterTarget(namespace="shop", kind="Pod", name="cart-1", node="worker-1")
    keys = group_keys(signal(commit="a" * 40, cluster=place, group="g", dependency="redis.shop"))
    assert [str(key) for key in keys] == [
        "target shop/Pod/cart-1",
        "target shop/StatefulSet/cart",
        "dependency redis.shop",
        "node worker-1",
        f"commit octo/shop@{'a' * 40}",
        "group g",
    ]


def test_kind_that_is_not_grouped_by_gives_no_key() -> None:
    place = ClusterTarget(namespace="shop", kind="Pod", name="cart-1", node="worker-1")
    assert {key.by for key in group_keys(signal(cluster=place), by=[GroupedBy.TARGET])} == {GroupedBy.TARGET}


def test_nodes_of_two_clusters_are_two() -> None:
    here, there = (group_keys(signal(cluster=ClusterTarget(node="n", context=name))) for name in ("a", "b"))
    assert here != there


@pytest.mark.parametrize("seconds_ago", [300, 3600])
def test_incident_that_got_nothing_within_the_window_takes_nothing(seconds_ago: float) -> None:
    assert chosen(gathering(GroupedBy.NODE, seconds_ago=seconds_ago)) is None


@pytest.mark.parametrize("status", [IncidentStatus.HEALED, IncidentStatus.UNDONE, IncidentStatus.RESOLVED])
def test_what_fails_after_the_cause_is_gone_is_news(status: IncidentStatus) -> None:
    assert chosen(gathering(GroupedBy.TARGET, status=status)) is None


def test_ended_incident_whose_cause_stands_takes_alerts_but_no_other_run_of_the_commit() -> None:
    assert chosen(gathering(GroupedBy.GROUP, status=IncidentStatus.REPORTED)) == "inc-1"
    assert chosen(gathering(GroupedBy.COMMIT, status=IncidentStatus.REPORTED)) is None


def test_incident_in_flight_takes_its_own_fingerprint_at_any_time_and_an_ended_one_does_not() -> None:
    assert chosen(gathering(GroupedBy.FINGERPRINT, seconds_ago=7200, status=IncidentStatus.WAITING)) == "inc-1"
    assert chosen(gathering(GroupedBy.FINGERPRINT, seconds_ago=7200, status=IncidentStatus.REPORTED)) is None


def test_target_in_flight_is_known_at_any_time_unless_nothing_is_grouped() -> None:
    waiting = gathering(GroupedBy.TARGET, seconds_ago=7200, status=IncidentStatus.WAITING)
    assert chosen(waiting) == "inc-1"
    assert choose_incident([waiting], now=NOW, window_seconds=0) is None
    assert chosen(gathering(GroupedBy.TARGET, seconds_ago=7200, status=IncidentStatus.REPORTED)) is None


def test_closest_bond_wins_then_the_newest() -> None:
    loose = gathering(GroupedBy.GROUP, seconds_ago=1, name="inc-loose")
    older = gathering(GroupedBy.TARGET, seconds_ago=200, name="inc-older")
    newer = gathering(GroupedBy.TARGET, seconds_ago=100, name="inc-newer")
    assert chosen(loose, older, newer) == "inc-newer"
