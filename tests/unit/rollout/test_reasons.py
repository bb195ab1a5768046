"""A rollout that does not come out says what its newest pod says, and of a pod of something else nothing."""

from typing import Any

import pytest

from tasks.domain.cluster import KubeObject
from tasks.rollout.reasons import why_not_ready

CART = KubeObject(
    raw={"kind": "Deployment", "metadata": {"name": "cart"}, "spec": {"selector": {"matchLabels": {"app": "cart"}}}}
)
RUNS = {"state": {"running": {}}, "ready": True}


def pod(status: dict[str, Any], *, app: str = "cart", name: str = "cart-1", made: str = "2026-01-01") -> KubeObject:
    metadata = {"name": name, "labels": {"app": app}, "creationTimestamp": made}
    return KubeObject(raw={"kind": "Pod", "metadata": metadata, "status": status})


def container(**row: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "app", **row}]}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            container(state={"waiting": {"reason": "ErrImagePull", "message": "not\n found"}}),
            "app waits, ErrImagePull: not found",
        ),
        (
            container(
                state={"waiting": {"reason": "CrashLoopBackOff"}},
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ),
            "app ended with exit code 137 (OOMKilled)",
        ),
        (container(state={"running": {}}, ready=False), "app runs, and its readiness probe does not pass"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]},
            "0/1 nodes are available",
        ),
        (
            {"initContainerStatuses": [{"name": "wait", "state": {"terminated": {"exitCode": 1}}}]},
            "wait ended with exit code 1 (Error)",
        ),
    ],
)
def test_reason_is_what_the_pod_says(status: dict[str, Any], said: str) -> None:
    assert why_not_ready(CART, [pod(status)]) == f"pod cart-1: {said}"


@pytest.mark.parametrize("status", [{}, container(**RUNS), container(state={"waiting": {"reason": "PodInitializing"}})])
def test_pod_that_only_begins_or_runs_well_says_nothing(status: dict[str, Any]) -> None:
    assert why_not_ready(CART, [pod(status)]) == ""


def test_pod_of_another_workload_is_not_asked_and_the_newest_is_asked_first() -> None:
    broken = container(state={"running": {}}, ready=False)
    assert why_not_ready(CART, [pod(broken, app="mailer")]) == ""
    old, new = pod(broken, name="old", made="2026-01-01"), pod(broken, name="new", made="2026-01-02")
    assert why_not_ready(CART, [old, new]).startswith("pod new: ")
