"""What a workload uses is the highest of several readings; a metrics API that is away is waited for and told of."""

from collections.abc import Callable, Iterable
from typing import Any

from tasks.domain.measured import MeasuredUse
from tasks.errors import HealflowError, NotFoundError, TransientError
from tasks.plan.cluster.measure import POLL_SECONDS, READINGS, watch_use

MIB = 2.0**20
AWAY = TransientError("GET /apis/metrics.k8s.io/v1beta1: service unavailable")
Answer = list[dict[str, Any]] | HealflowError


def reading(memory: str, at: int, *, pod: str = "cart-p") -> list[dict[str, Any]]:
    used = [{"name": "app", "usage": {"cpu": "10m", "memory": memory}}]
    return [{"metadata": {"name": pod}, "timestamp": f"2026-01-02T00:00:{at:02}Z", "containers": used}]


def answering(*answers: Answer) -> Callable[[], Iterable[dict[str, Any]]]:
    """Gives these answers one after another, and the last one for ever."""
    left = list(answers)

    def read() -> Iterable[dict[str, Any]]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, HealflowError):
            raise answer
        return answer

    return read


def watched(*answers: Answer, seconds: float = 60.0) -> MeasuredUse:
    now = [0.0]

    def wait(for_seconds: float) -> None:
        now[0] += for_seconds

    return watch_use(answering(*answers), ["cart-p"], seconds=seconds, clock=lambda: now[0], wait=wait)


def memory_of(found: MeasuredUse) -> float:
    used = found.of("app")
    return used.memory / MIB if used is not None else 0.0


def test_one_early_reading_does_not_decide() -> None:
    found = watched(reading("8Mi", 0), reading("41Mi", 15), reading("40Mi", 30))
    assert (memory_of(found), found.readings) == (41.0, READINGS)


def test_reading_that_is_told_again_is_no_second_one() -> None:
    found = watched(reading("8Mi", 0))
    assert (found.readings, found.seconds) == (1, 60.0)


def test_reading_of_another_workload_is_not_taken() -> None:
    found = watched(reading("900Mi", 0, pod="mailer-p"))
    assert not found.readings
    assert found.of("app") is None


def test_metrics_api_that_is_away_for_a_moment_is_waited_for() -> None:
    found = watched(AWAY, AWAY, reading("41Mi", 0), AWAY, reading("42Mi", 15), reading("43Mi", 30))
    assert (memory_of(found), found.readings, found.problem) == (43.0, READINGS, "")
    assert found.seconds == 5 * POLL_SECONDS


def test_metrics_api_that_stays_away_is_told_and_not_waited_for_without_end() -> None:
    found = watched(AWAY)
    assert found.seconds == 60.0
    assert "service unavailable" in str(found)
    assert str(found).startswith("nothing measured")


def test_metrics_api_that_is_not_there_is_not_waited_for() -> None:
    found = watched(NotFoundError("no matches for kind PodMetrics"))
    assert found.seconds == 0.0
    assert "no matches" in str(found)


def test_what_was_read_before_the_api_went_away_counts_and_its_absence_is_told() -> None:
    found = watched(reading("41Mi", 0), AWAY)
    assert memory_of(found) == 41.0
    assert "measured once (the metrics API did not answer" in str(found)
