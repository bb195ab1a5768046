"""What was to be deleted and stays, with the finalizer that holds it."""

import pytest

from tasks.diagnose.analyzers.cluster.deletions import find_stuck_deletions
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed
from tests.unit.diagnose.cluster.conditions.fates import held

NOTICED = (
    ("a namespace is not rid of its content", "deletion", "Namespace/old"),
    ("a pod needs a claim that is being deleted", "deletion", "PersistentVolumeClaim/shop/data"),
    ("a pod has ended and a finalizer keeps it", "deletion", "Pod/shop/old"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_object_that_stays_is_named(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_stuck_deletions, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_stuck_deletions, lambda state: None) == set()


@pytest.mark.parametrize(("minutes", "found"), [(0.5, 0), (3, 1)])
def test_pod_of_which_nothing_runs_has_a_minute_to_go(minutes: float, found: int) -> None:
    assert len(noticed(find_stuck_deletions, held("Pod", since=minutes))) == found


def test_pod_that_still_runs_has_more_time() -> None:
    assert noticed(find_stuck_deletions, held("Pod", since=3, running=True)) == set()
    assert len(noticed(find_stuck_deletions, held("Pod", since=9, running=True))) == 1


def test_finalizer_is_told() -> None:
    (clue,) = clues(find_stuck_deletions, held("Pod"))
    assert "held by its finalizer acme.io/hold" in clue.cause
