"""Sizes and replicas are drafted from what was measured or recorded; without that they are not drafted."""

from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.incident import IncidentStatus
from tasks.domain.plan import Remedy
from tests.unit.plan.clusters import (
    Raw,
    before,
    deployment,
    only_action,
    operations_of,
    plan,
    pod,
    replica_set,
    snapshot,
    template,
)

ROOT = "/spec/template/spec/containers/0/resources"
RESTARTED = (before(Remedy.RESTART_ROLLOUT, IncidentStatus.ESCALATED),)


def metered(
    *,
    memory: str | None = None,
    cpu: str = "10m",
    limit: str = "64Mi",
    requests: Raw | None = None,
    killed: str | None = None,
) -> Any:
    """`killed` is which container was killed out of memory."""
    ended = [{"name": killed, "lastState": {"terminated": {"reason": "OOMKilled"}}}] if killed else []
    pods = template({"resources": {"limits": {"memory": limit}, "requests": requests or {}}})
    usage = {"name": "app", "usage": {"memory": memory, "cpu": cpu}}
    metrics = {"kind": "PodMetrics", "metadata": {"namespace": "shop", "name": "cart-p"}, "containers": [usage]}
    rows = [deployment(pods), replica_set(pods, revision=1, ready=0), pod(pods, containerStatuses=ended)]
    return snapshot(*rows, *([metrics] if memory else []))


def test_what_was_not_measured_is_not_sized() -> None:
    drafted = plan(F.K8S_OOM, metered(), similar=RESTARTED)
    assert only_action(drafted).name == Remedy.REPORT_ONLY
    assert "nothing measured" in drafted.rationale


def test_use_that_fits_is_a_leak_and_gets_no_more_memory() -> None:
    drafted = plan(F.K8S_OOM, metered(memory="20Mi"), similar=RESTARTED)
    assert only_action(drafted).name == Remedy.REPORT_ONLY
    assert "hide a leak" in drafted.rationale


@pytest.mark.parametrize("status", [IncidentStatus.HEALED, IncidentStatus.ESCALATED])
def test_nothing_is_sized_twice_for_one_failure(status: IncidentStatus) -> None:
    similar = (*RESTARTED, before(Remedy.SIZE_RESOURCES, status))
    assert only_action(plan(F.K8S_OOM, metered(memory="60Mi"), similar=similar)).name == Remedy.REPORT_ONLY


def test_quota_is_no_case_for_a_size() -> None:
    assert only_action(plan(F.K8S_QUOTA, metered(memory="60Mi"))).name == Remedy.REPORT_ONLY


@pytest.mark.parametrize(("used", "becomes"), [("60Mi", "90Mi"), ("64000Ki", "93Mi"), ("600Mi", "128Mi")])
def test_limit_is_measured_use_with_headroom_and_at_most_twice_what_it_was(used: str, becomes: str) -> None:
    drafted = plan(F.K8S_OOM, metered(memory=used), similar=RESTARTED)
    assert operations_of(drafted) == [{"path": f"{ROOT}/limits/memory", "value": becomes}]


@pytest.mark.parametrize("killed", [None, "app"])
def test_use_that_fits_is_a_leak_also_where_it_was_killed(killed: str | None) -> None:
    assert only_action(plan(F.K8S_OOM, metered(memory="44Mi", killed=killed), similar=RESTARTED)).name == (
        Remedy.REPORT_ONLY
    )


@pytest.mark.parametrize("used", ["46Mi", "63Mi"])
def test_container_that_was_killed_at_its_limit_gets_a_step_more_than_that(used: str) -> None:
    drafted = plan(F.K8S_OOM, metered(memory=used, killed="app"), similar=RESTARTED)
    assert operations_of(drafted) == [{"path": f"{ROOT}/limits/memory", "value": "96Mi"}]


def test_step_above_the_limit_stays_within_bounds() -> None:
    drafted = plan(F.K8S_OOM, metered(memory="3900Mi", limit="4000Mi", killed="app"), similar=RESTARTED)
    assert only_action(drafted).name == Remedy.REPORT_ONLY
    drafted = plan(F.K8S_OOM, metered(memory="3300Mi", limit="3500Mi", killed="app"), similar=RESTARTED)
    assert operations_of(drafted) == [{"path": f"{ROOT}/limits/memory", "value": "4096Mi"}]


def test_container_that_was_not_killed_keeps_its_limit() -> None:
    drafted = plan(F.K8S_OOM, metered(memory="60Mi", killed="sidecar"), similar=RESTARTED)
    assert only_action(drafted).name == Remedy.REPORT_ONLY


def test_plan_tells_what_was_measured_and_how_often() -> None:
    told = only_action(plan(F.K8S_OOM, metered(memory="60Mi", killed="app"), similar=RESTARTED)).summary
    assert "memory limit of app from 64Mi to 96Mi (used at most 60Mi)" in told
    assert "use was measured once" in told
    assert "1.5 times the limit at which it was killed" in told


def test_requests_shrink_to_measured_use_with_headroom() -> None:
    state = metered(memory="40Mi", cpu="100m", requests={"cpu": "400", "memory": "50Mi"})
    assert operations_of(plan(F.K8S_PENDING_RES, state)) == [{"path": f"{ROOT}/requests/cpu", "value": "150m"}]


def zero(*others: Raw, desired: int = 0) -> ClusterSnapshot:
    pods = template()
    rows = [deployment(pods, replicas=0, revision=2), replica_set(pods, revision=2, ready=0, desired=0)]
    earlier = [replica_set(pods, revision=1, ready=0, desired=desired)] if desired else []
    service = {"kind": "Service", "metadata": {"namespace": "shop", "name": "cart"}}
    return snapshot(*rows, *earlier, {**service, "spec": {"selector": {"app": "cart"}}}, *others)


def needed(state: ClusterSnapshot, **how: Any) -> Any:
    return only_action(plan(F.K8S_CRASH_DEP, state, **{"victims": ("Deployment/front",), **how}))


def test_what_nobody_needs_stays_at_zero() -> None:
    assert needed(zero(), victims=()).name == Remedy.REPORT_ONLY


def test_what_an_autoscaler_scales_stays_at_zero() -> None:
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": "shop", "name": "cart"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}},
    }
    assert needed(zero(scaler)).name == Remedy.REPORT_ONLY


def test_what_runs_is_not_scaled() -> None:
    pods = template()
    state = snapshot(deployment(pods), replica_set(pods, revision=1, ready=1))
    assert needed(state).name == Remedy.REPORT_ONLY


@pytest.mark.parametrize(("desired", "replicas"), [(0, "1"), (3, "3"), (99, "10")])
@pytest.mark.parametrize("target", ["Deployment/cart", "Service/cart"])
def test_dependency_that_others_call_comes_back_as_it_was(desired: int, replicas: str, target: str) -> None:
    action = needed(zero(desired=desired), target=target)
    assert (action.name, action.parameters["replicas"]) == (Remedy.SCALE_WORKLOAD, replicas)
