"""Programs that run and say all the time that something is wrong."""

import pytest

from tasks.diagnose.analyzers.cluster.applications import find_complaints
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("callers of a ready service are refused", "log-connection", "Deployment/shop/api"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_program_that_complains_all_the_time_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_complaints, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_complaints, lambda state: None) == set()


REFUSED = "ERROR cannot log in: password authentication failed for user shop"


def says(*lines: str) -> list[str]:
    def plant(state: State) -> None:
        state.log(state.pods("web")[0], *lines)

    return [clue.rule for clue in clues(find_complaints, plant)]


def test_complaint_that_was_overcome_is_none() -> None:
    assert says(*[REFUSED] * 5, *["INFO logged in"] * 30) == []


def test_complaint_that_goes_on_is_one() -> None:
    assert says("INFO starting", *[REFUSED] * 5) == ["cluster-log-credentials"]


def test_errors_that_say_nothing_are_none() -> None:
    assert says(*["ERROR request failed"] * 9) == []


def test_cluster_that_says_nothing_else_is_well() -> None:
    assert noticed(find_complaints, lambda state: None) == set()
