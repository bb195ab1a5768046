"""Of the other failures of an incident, those count as failing that do not recover in the time that a heal has."""

from collections.abc import Sequence

from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.incident import ClusterTarget
from tasks.verify.members import failing_places
from tests.unit.verify.test_cluster import state

CART, MAILER = (ClusterTarget(namespace="shop", kind="Deployment", name=name) for name in ("cart", "mailer"))
POD = ClusterTarget(namespace="shop", kind="Pod", name="cart-0")
SHOP = ClusterTarget(namespace="shop")


def failing(
    readings: Sequence[ClusterSnapshot], *places: ClusterTarget, timeout_seconds: float = 20
) -> set[ClusterTarget]:
    """What fails at the end; the last reading is what it stays like."""
    now, left = [0.0], list(readings)

    def wait(seconds: float) -> None:
        now[0] += seconds

    found = failing_places(
        lambda: left.pop(0) if len(left) > 1 else left[0],
        places,
        stable_seconds=4,
        timeout_seconds=timeout_seconds,
        clock=lambda: now[0],
        wait=wait,
    )
    assert now[0] <= timeout_seconds + 2
    return set(found)


def test_what_stays_broken_fails_and_what_recovers_does_not() -> None:
    assert failing([state(cart=0, mailer=0), state(mailer=0)], CART, MAILER) == {MAILER}


def test_what_is_ready_between_two_crashes_fails() -> None:
    assert failing([state(restarts=number) for number in range(30)], CART) == {CART}


def test_what_is_gone_or_was_never_there_does_not_fail() -> None:
    assert failing([state()], POD, ClusterTarget(kind="Node", name="worker-9", node="worker-9")) == set()


def test_namespace_fails_while_anything_in_it_does() -> None:
    assert failing([state(mailer=0)], SHOP) == {SHOP}
    assert failing([state()], SHOP) == set()


def test_at_one_look_what_was_restarted_is_not_taken_for_well() -> None:
    assert failing([state(restarts=3)], CART, timeout_seconds=0) == {CART}
    assert failing([state()], CART, timeout_seconds=0) == set()
