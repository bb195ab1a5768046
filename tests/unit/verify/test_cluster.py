"""A fix in a cluster counts as proven only when what failed is healthy, stays so, and nothing beside it got worse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.clients.ledger import Ledger
from tasks.domain.cluster import ClusterSnapshot, KubeObject, ObjectRef
from tasks.domain.cluster_cause import ClusterCause, ClusterTriage
from tasks.domain.cluster_health import ObjectHealth, health_of, namespace_health
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.outcome import Verification
from tasks.errors import TransientError
from tasks.verify.cluster import comes_and_goes, verify_cluster

CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")


def deployment(name: str, ready: int) -> KubeObject:
    status = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "observedGeneration": 1}
    metadata = {"namespace": "shop", "name": name, "generation": 1}
    return KubeObject(raw={"kind": "Deployment", "metadata": metadata, "spec": {"replicas": 1}, "status": status})


def pod(restarts: int) -> KubeObject:
    owner = {"kind": "Deployment", "name": "cart", "controller": True}
    metadata = {"namespace": "shop", "name": "cart-1", "ownerReferences": [owner]}
    return KubeObject(
        raw={"kind": "Pod", "metadata": metadata, "status": {"containerStatuses": [{"restartCount": restarts}]}}
    )


def state(*, cart: int = 1, mailer: int = 1, restarts: int = 0) -> ClusterSnapshot:
    return ClusterSnapshot(objects=(deployment("cart", cart), deployment("mailer", mailer), pod(restarts)))


def proof(
    readings: Iterator[Any], *, before: tuple[ObjectHealth, ...] = (), answers: Iterator[bool] | None = None
) -> Verification:
    now = [0.0]

    def read() -> ClusterSnapshot:
        found = next(readings)
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, ClusterSnapshot)
        return found

    def wait(seconds: float) -> None:
        now[0] += seconds

    def door() -> ObjectHealth:
        well = next(answers or iter(()))
        return ObjectHealth(ref=ObjectRef(kind="smoke test", name="shop"), healthy=well, detail="HTTP 500")

    return verify_cluster(
        read,
        watched=(CART,),
        before=before,
        stable_seconds=6,
        timeout_seconds=20,
        door=door if answers else None,
        clock=lambda: now[0],
        wait=wait,
    )


def forever(one: ClusterSnapshot) -> Iterator[ClusterSnapshot]:
    while True:
        yield one


def test_what_never_gets_healthy_is_not_proven() -> None:
    found = proof(forever(state(cart=0)))
    assert not found.passed
    assert found.checks[0].detail == "0 of 1 pods are ready"


def test_what_is_healthy_only_now_and_then_is_not_proven() -> None:
    flapping = (one for _ in range(99) for one in (state(), state(cart=0)))
    assert not proof(flapping).passed


def test_growing_restarts_are_no_health() -> None:
    assert not proof(state(restarts=number) for number in range(99)).passed


def test_healthy_workload_behind_a_door_that_does_not_answer_is_not_proven() -> None:
    found = proof(forever(state()), answers=(False for _ in range(99)))
    assert not found.passed
    assert [check.detail for check in found.checks if not check.passed][-1] == "HTTP 500"


def test_door_has_to_answer_for_the_whole_window() -> None:
    assert not proof(forever(state()), answers=(number % 3 > 0 for number in range(99))).passed
    assert proof(forever(state()), answers=(True for _ in range(99))).passed


def test_neighbour_that_got_worse_is_no_success() -> None:
    before = namespace_health(state(), "shop")
    found = proof(forever(state(mailer=0)), before=before)
    assert not found.passed
    assert any(check.name == "Deployment/shop/mailer" and not check.passed for check in found.checks)


def test_neighbour_that_was_ill_before_does_not_count() -> None:
    assert proof(forever(state(mailer=0)), before=namespace_health(state(mailer=0), "shop")).passed


def test_absent_api_server_is_waited_out_and_the_window_begins_anew() -> None:
    def readings() -> Iterator[Any]:
        yield state()
        yield state()
        for _ in range(5):
            yield TransientError("connection refused")
        while True:
            yield state()

    found = proof(readings())
    assert found.passed
    assert found.seconds >= 4 + 10 + 6


def test_cluster_that_stays_away_is_inconclusive() -> None:
    found = proof(iter([TransientError("connection refused")] * 99))
    assert not found.passed
    assert "could not be reached" in found.inconclusive


def triaged(restarts: int) -> ClusterTriage:
    found = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="It fails.", confidence=0.0, fingerprint="f" * 20)
    health = health_of(state(cart=0, restarts=restarts), CART)
    return ClusterTriage(cause=ClusterCause(diagnosis=found, target=CART), watched=(CART,), health=(health,))


def test_containers_that_failed_before_and_run_again_are_not_healthy_by_themselves() -> None:
    assert comes_and_goes(triaged(2), state(restarts=2))
    assert comes_and_goes(triaged(2), state(restarts=3))


def test_pods_that_took_their_place_may_be_healthy_by_themselves() -> None:
    assert not comes_and_goes(triaged(2), state(restarts=0))
    assert not comes_and_goes(triaged(0), state(restarts=0))


def test_second_heal_waits_until_the_first_lets_go_or_its_lease_ends(tmp_path: Path) -> None:
    leases, now = Ledger.in_folder(tmp_path).leases, datetime(2026, 1, 1, tzinfo=UTC)
    assert leases.take("cart", "inc-1", now=now, seconds=60) == "inc-1"
    assert leases.take("cart", "inc-2", now=now, seconds=60) == "inc-1"
    assert leases.take("cart", "inc-1", now=now, seconds=60) == "inc-1"
    leases.release("cart", "inc-2")
    assert leases.take("cart", "inc-2", now=now, seconds=60) == "inc-1"
    assert leases.take("cart", "inc-2", now=now + timedelta(seconds=61), seconds=60) == "inc-2"
    leases.release("cart", "inc-2")
    assert leases.take("cart", "inc-3", now=now, seconds=60) == "inc-3"
