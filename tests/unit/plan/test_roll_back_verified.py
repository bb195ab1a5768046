"""The way back: never to a revision of which nothing is known, and rather to one that a deploy saw serve."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import open_incident
from tasks.domain.plan import Action, Remedy
from tasks.plan.cluster import draft_cluster_plan
from tests.fakes.signals import cluster_signal_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")


def replica_set(number: int, ready: int = 0) -> KubeObject:
    return KubeObject(
        raw={
            "kind": "ReplicaSet",
            "metadata": {
                "namespace": "shop",
                "name": f"cart-{number}",
                "uid": f"uid-{number}",
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "ownerReferences": [{"kind": "Deployment", "name": "cart", "controller": True}],
            },
            "spec": {"replicas": ready, "template": {"spec": {"containers": [{"image": f"cart:{number}"}]}}},
            "status": {"readyReplicas": ready},
        }
    )


def plan_action(
    *others: KubeObject,
    verified: frozenset[str] = frozenset(),
    newest: KubeObject | None = None,
    at: datetime | None = None,
    failure_class: FailureClass = FailureClass.K8S_IMAGE_NOTFOUND,
) -> Action:
    metadata: dict[str, Any] = {"namespace": "shop", "name": "cart", "uid": "c", "generation": 9}
    metadata["annotations"] = {"deployment.kubernetes.io/revision": "9"}
    deployment = KubeObject(raw={"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}})
    snapshot = ClusterSnapshot(
        objects=(deployment, newest or replica_set(9), *others), verified_revisions=verified, captured_at=at
    )
    signal = cluster_signal_of(NOW)
    diagnosis = Diagnosis(failure_class=failure_class, cause="c", confidence=0.9, fingerprint="f", evidence_ids=("E1",))
    cause = ClusterCause(diagnosis=diagnosis, target=CART)
    return draft_cluster_plan(open_incident(signal, now=NOW), cause, snapshot).actions[0]


def test_scaled_down_revision_of_which_nothing_is_known_is_not_gone_back_to() -> None:
    assert plan_action(replica_set(8), verified=frozenset({"uid-other"})).name != Remedy.ROLL_BACK_ROLLOUT


def flapping(restarts: int, *, age: timedelta) -> Action:
    """A revision whose one pod is ready at this moment, beside an earlier one that was verified."""
    newest = replica_set(9, ready=1)
    raw = dict(newest.raw)
    raw["metadata"] = {**raw["metadata"], "creationTimestamp": (NOW - age).isoformat()}
    pod = {
        "kind": "Pod",
        "metadata": {
            "namespace": "shop",
            "name": "cart-9-a",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "cart-9", "controller": True}],
        },
        "status": {"containerStatuses": [{"name": "app", "ready": True, "restartCount": restarts}]},
    }
    return plan_action(
        replica_set(8), KubeObject(raw=pod), verified=frozenset({"uid-8"}), newest=KubeObject(raw=raw), at=NOW
    )


def test_revision_that_is_ready_between_two_kills_is_left() -> None:
    assert flapping(1, age=timedelta(minutes=5)).parameters["revision"] == "cart-8"


@pytest.mark.parametrize(("restarts", "age"), [(0, timedelta(minutes=5)), (1, timedelta(days=3))])
def test_revision_that_serves_stays(restarts: int, age: timedelta) -> None:
    assert flapping(restarts, age=age).name != Remedy.ROLL_BACK_ROLLOUT


def test_failing_revision_itself_is_never_the_way_back() -> None:
    assert plan_action(verified=frozenset({"uid-9"})).name != Remedy.ROLL_BACK_ROLLOUT


@pytest.mark.parametrize(
    ("verified", "back_to"), [({"uid-7"}, "cart-7"), ({"uid-7", "uid-6"}, "cart-7"), ((), "cart-8")]
)
def test_newest_verified_revision_is_preferred_even_without_pods(verified: set[str], back_to: str) -> None:
    chosen = plan_action(replica_set(6), replica_set(7), replica_set(8, ready=1), verified=frozenset(verified))
    assert (chosen.name, chosen.parameters["revision"]) == (Remedy.ROLL_BACK_ROLLOUT, back_to)


def after_smoke(*others: KubeObject, verified: frozenset[str]) -> Action:
    """The newest revision is ready, and does not answer as it should."""
    ready = replica_set(9, ready=1)
    return plan_action(*others, newest=ready, verified=verified, failure_class=FailureClass.DEP_SMOKE)


def test_ready_pods_do_not_show_that_an_earlier_revision_answers() -> None:
    assert after_smoke(replica_set(8, ready=1), verified=frozenset()).name == Remedy.REPORT_ONLY


def test_revision_that_once_answered_is_not_blamed_for_a_smoke_test_that_fails_now() -> None:
    assert after_smoke(replica_set(8), verified=frozenset({"uid-8", "uid-9"})).name == Remedy.REPORT_ONLY


def test_ready_revision_that_does_not_answer_goes_back_to_the_verified_one() -> None:
    found = after_smoke(replica_set(7), replica_set(8, ready=1), verified=frozenset({"uid-7"}))
    assert (found.name, found.parameters["revision"]) == (Remedy.ROLL_BACK_ROLLOUT, "cart-7")
