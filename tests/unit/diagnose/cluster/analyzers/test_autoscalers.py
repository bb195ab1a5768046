"""Autoscalers that cannot scale; the workload is named where it gives them nothing to measure."""

import pytest

from tasks.diagnose.analyzers.cluster.autoscalers import find_scaling_faults
from tests.unit.diagnose.cluster.analyzers.noticing import clues, noticed

NOTICED = (
    ("an autoscaler scales what cannot be scaled", "hpa-kind", "HorizontalPodAutoscaler/shop/web"),
    ("an autoscaler scales what does not exist", "hpa-target", "HorizontalPodAutoscaler/shop/web"),
    ("an autoscaler has nothing to measure against", "hpa-requests", "Deployment/shop/web"),
    ("an autoscaler cannot read what to scale", "hpa", "HorizontalPodAutoscaler/shop/web"),
    ("an autoscaler is at its most", "hpa-limited", "HorizontalPodAutoscaler/shop/web"),
)  # fmt: skip


@pytest.mark.parametrize(("says", "rule", "target"), NOTICED, ids=[row[0] for row in NOTICED])
def test_autoscaler_that_cannot_scale_is_told(says: str, rule: str, target: str) -> None:
    assert (f"cluster-{rule}", target, False) in noticed(find_scaling_faults, says)


def test_healthy_cluster_says_nothing() -> None:
    assert noticed(find_scaling_faults, lambda state: None) == set()


def test_autoscaler_at_its_least_is_well() -> None:
    assert noticed(find_scaling_faults, "an autoscaler is at its least") == set()


def test_what_the_controller_says_is_quoted() -> None:
    (clue,) = clues(find_scaling_faults, "an autoscaler cannot read what to scale")
    assert "FailedGetScale" in clue.quotes[0].text
