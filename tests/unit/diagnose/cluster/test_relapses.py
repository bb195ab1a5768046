"""A container that is well at the moment, only because it was started again a moment ago."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterEvent, ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.failure_class import FailureClass as F

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KILLED = "Container web failed liveness probe, will be restarted"


def started_again(
    *, ran: float, runs: float, restarts: int = 3, exit_code: int = 1, reason: str = "Error", killed: bool = False
) -> ClusterSnapshot:
    """A pod that ran for `ran` seconds, ended, and has been running again for `runs` seconds; it is ready."""
    began = NOW - timedelta(seconds=runs)
    last = {
        "exitCode": exit_code,
        "reason": reason,
        "startedAt": (began - timedelta(seconds=ran)).isoformat(),
        "finishedAt": began.isoformat(),
    }
    state: dict[str, Any] = {
        "name": "web",
        "ready": True,
        "restartCount": restarts,
        "state": {"running": {"startedAt": began.isoformat()}},
        "lastState": {"terminated": last},
    }
    pod = {
        "kind": "Pod",
        "metadata": {"namespace": "shop", "name": "web", "creationTimestamp": "2026-03-01T10:00:00Z"},
        "spec": {"containers": [{"name": "web", "livenessProbe": {"httpGet": {"port": 80}}}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [state],
        },
    }
    said = (("Unhealthy", "Liveness probe failed: connection refused"), ("Killing", KILLED)) if killed else ()
    events = tuple(
        ClusterEvent(
            id=f"shop/web.{number}",
            about=ObjectRef(kind="Pod", namespace="shop", name="web"),
            reason=reason,
            message=message,
            warning=True,
        )
        for number, (reason, message) in enumerate(said)
    )
    return ClusterSnapshot(objects=(KubeObject(raw=pod),), events=events, captured_at=NOW)


def named(snapshot: ClusterSnapshot) -> list[F]:
    return [one.diagnosis.failure_class for one in diagnose_cluster(snapshot).causes]


def test_one_that_ends_again_and_again_is_named_while_it_runs() -> None:
    assert named(started_again(ran=40, runs=12)) == [F.K8S_CRASH_APP]


@pytest.mark.parametrize("exit_code", [0, 137, 143])
def test_one_that_its_probe_kills_is_named_while_it_runs(exit_code: int) -> None:
    found = diagnose_cluster(started_again(ran=60, runs=5, restarts=1, exit_code=exit_code, killed=True)).causes
    assert [one.diagnosis.failure_class for one in found] == [F.K8S_CRASH_LIVENESS]
    assert "connection refused" in found[0].diagnosis.cause


@pytest.mark.parametrize(
    "well",
    [
        started_again(ran=40, runs=51),
        started_again(ran=601, runs=5),
        started_again(ran=40, runs=12, restarts=1),
        started_again(ran=40, runs=12, exit_code=0),
        started_again(ran=40, runs=12, exit_code=143),
        started_again(ran=40, runs=12, exit_code=255, reason="Unknown"),
        started_again(ran=60, runs=71, killed=True),
    ],
    ids=["longer than before", "ran long", "once", "by itself", "told to end", "node away", "killed long ago"],
)
def test_one_that_is_well_again_is_not_named(well: ClusterSnapshot) -> None:
    assert named(well) == []
