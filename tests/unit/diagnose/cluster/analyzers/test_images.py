"""Images that cannot be pulled, by what the registry answered."""

import pytest

from tasks.diagnose.analyzers.cluster.images import find_image_faults
from tests.fakes.cluster_state import State
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("the tag does not exist", "image", "Deployment/shop/web"),
    ("a registry cannot be reached", "image", "Deployment/shop/web"),
    ("an image is not built for the machine", "image", "Deployment/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_image_that_cannot_be_pulled_is_told_of_its_workload(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_image_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_image_faults, lambda state: None) == set()


def test_pull_secret_that_is_not_missed_is_worth_knowing_only() -> None:
    def plant(state: State) -> None:
        state.workload("web", pod={"imagePullSecrets": [{"name": "regcred"}]})

    assert {told[2] for told in noticed(find_image_faults, plant)} <= {True}


def test_image_that_waits_for_its_turn_is_no_fault() -> None:
    assert noticed(find_image_faults, lambda state: state.wait("web", "ContainerCreating") and None) == set()


def test_answer_of_the_registry_is_quoted() -> None:
    assert any(
        quote.source.startswith("event:")
        for quote in clues(find_image_faults, "a registry cannot be reached")[0].quotes
    )
