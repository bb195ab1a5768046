"""A restart is drafted only where something shows that the pods would do better if they began anew, and once."""

from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Remedy
from tests.unit.plan.clusters import Raw, before, deployment, only_action, plan, pod, replica_set, snapshot, template

STARTED = "2026-01-01T10:00:05Z"
RUNNING = {"name": "app", "state": {"running": {"startedAt": STARTED}}}


def running(ready_since: str, *, ready: str = "False", pods: Raw | None = None, **status: Any) -> ClusterSnapshot:
    pods = pods or template()
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": ready_since}
    one = pod(pods, conditions=[condition], containerStatuses=[RUNNING], **status)
    return snapshot(deployment(pods), replica_set(pods, revision=1, ready=0), one)


def test_what_has_never_been_ready_is_not_restarted() -> None:
    drafted = plan(F.K8S_PROBE_READY, running("2026-01-01T10:00:00Z"))
    assert only_action(drafted).name == Remedy.REPORT_ONLY
    assert "has stopped being ready" in drafted.rationale


def test_victim_of_a_dead_dependency_is_not_restarted() -> None:
    state = running("2026-01-01T11:00:00Z")
    drafted = plan(F.K8S_CRASH_DEP, state, target="Service/db", victims=("Deployment/cart",))
    assert only_action(drafted).name == Remedy.REPORT_ONLY


def test_revision_that_was_never_ready_is_not_restarted() -> None:
    pods = template()
    state = snapshot(
        deployment(pods, revision=2), replica_set(pods, revision=2, ready=0), replica_set(pods, revision=1, ready=1)
    )
    failed_before = (before(Remedy.ROLL_BACK_ROLLOUT, IncidentStatus.ESCALATED),)
    drafted = plan(F.K8S_OOM, state, similar=failed_before)
    assert only_action(drafted).name == Remedy.REPORT_ONLY
    assert "does not serve" in drafted.rationale


@pytest.mark.parametrize("status", [IncidentStatus.HEALED, IncidentStatus.ESCALATED, IncidentStatus.UNDONE])
def test_nothing_is_restarted_twice_for_one_failure(status: IncidentStatus) -> None:
    drafted = plan(F.K8S_OOM, running(STARTED), similar=(before(Remedy.RESTART_ROLLOUT, status),))
    assert only_action(drafted).name != Remedy.RESTART_ROLLOUT


def test_configuration_older_than_the_pods_is_no_reason() -> None:
    drafted = plan(F.K8S_CRASH_CONFIG, configured("2026-01-01T09:00:00Z"))
    assert only_action(drafted).name == Remedy.REPORT_ONLY


def configured(made: str) -> ClusterSnapshot:
    pods = template({"envFrom": [{"configMapRef": {"name": "prices"}}]})
    state = running(STARTED, pods=pods, startTime="2026-01-01T10:00:00Z")
    metadata = {"namespace": "shop", "name": "prices", "creationTimestamp": made}
    return snapshot(*(dict(item.raw) for item in state.objects), {"kind": "ConfigMap", "metadata": metadata})


def test_pods_older_than_their_configuration_are_restarted() -> None:
    drafted = plan(F.K8S_CRASH_CONFIG, configured("2026-01-01T11:00:00Z"))
    assert only_action(drafted).name == Remedy.RESTART_ROLLOUT
    assert "ConfigMap/shop/prices" in drafted.rationale


def test_first_kill_out_of_memory_is_answered_by_a_restart() -> None:
    action = only_action(plan(F.K8S_OOM, running(STARTED)))
    assert action.name == Remedy.RESTART_ROLLOUT
    assert action.parameters["at"] == "2026-01-02T00:00:00Z"


@pytest.mark.parametrize("found", [F.K8S_PROBE_READY, F.K8S_CRASH_DEP])
def test_what_hangs_is_restarted(found: F) -> None:
    assert only_action(plan(found, running("2026-01-01T11:00:00Z"))).name == Remedy.RESTART_ROLLOUT
