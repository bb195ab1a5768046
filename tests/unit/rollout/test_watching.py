"""Watching a rollout: what must not count as done, what ends the watch at once, and what a deploy would change."""

from collections.abc import Iterator
from typing import Any

import pytest

from tasks.domain.cluster import KubeObject, ObjectRef
from tasks.domain.rollout import Rollout, RolloutState
from tasks.rollout.compare import compare
from tasks.rollout.placing import place
from tasks.rollout.watch import rollout_of, watch_rollouts

CART = ObjectRef(kind="Deployment", namespace="shop", name="cart")


def cart(*, generation: int = 2, seen: int = 2, progressing: str = "True", **status: int) -> KubeObject:
    counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, **status}
    told = {"type": "Progressing", "status": progressing, "message": "deadline exceeded"}
    return KubeObject(
        raw={
            "kind": "Deployment",
            "metadata": {
                "namespace": "shop",
                "name": "cart",
                "generation": generation,
                "annotations": {"deployment.kubernetes.io/revision": "7"},
            },
            "spec": {"replicas": 1},
            "status": {"observedGeneration": seen, "conditions": [told], **counts},
        }
    )


def watch(*readings: KubeObject, timeout: float = 10.0) -> tuple[tuple[Rollout, ...], list[str], float]:
    now, told = [0.0], list[str]()
    left: Iterator[KubeObject] = iter(readings)
    last = [readings[0]]

    def read(_ref: ObjectRef) -> KubeObject:
        last[0] = next(left, last[0])
        return last[0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    found = watch_rollouts(read, [CART], timeout_seconds=timeout, clock=lambda: now[0], wait=wait, tell=told.append)
    return found, told, now[0]


@pytest.mark.parametrize(
    "item",
    [cart(seen=1), cart(updatedReplicas=0), cart(replicas=2), cart(availableReplicas=0)],
    ids=["change not seen", "old version", "old pods left", "not ready"],
)
def test_what_does_not_serve_in_its_new_version_is_not_done(item: KubeObject) -> None:
    assert rollout_of(item).state is RolloutState.PROGRESSING


def test_old_failure_is_not_held_against_a_change_that_was_not_seen_yet() -> None:
    assert rollout_of(cart(seen=1, progressing="False")).state is RolloutState.PROGRESSING


def test_failed_rollout_ends_the_watch_at_once() -> None:
    (found,), _, seconds = watch(cart(progressing="False", availableReplicas=0))
    assert (found.state, found.message, seconds) == (RolloutState.FAILED, "deadline exceeded", 0.0)


def test_what_is_not_done_in_time_has_failed() -> None:
    (found,), _, seconds = watch(cart(availableReplicas=0), timeout=3)
    assert found.state is RolloutState.FAILED
    assert "not done within 3 s: 0 of 1 pods are ready" in found.message
    assert seconds == 3.0


def test_progress_is_told_until_it_is_done() -> None:
    (found,), told, _ = watch(cart(updatedReplicas=0), cart(availableReplicas=0), cart())
    assert (found.state, found.revision) == (RolloutState.DONE, 7)
    assert [text.split(": ")[1] for text in told] == ["0 of 1 pods are of the new version", "0 of 1 pods are ready"]


def secret(value: str) -> KubeObject:
    return KubeObject(raw={"kind": "Secret", "metadata": {"name": "login"}, "data": {"password": value}})


def test_difference_never_holds_a_secret() -> None:
    told = compare(secret("aHVudGVyMg=="), secret("b3RoZXI=")).text + compare(None, secret("b3RoZXI=")).text
    assert "aHVudGVyMg==" not in told
    assert "b3RoZXI=" not in told


def test_what_only_the_server_counts_is_no_difference() -> None:
    metadata = {"name": "cart", "resourceVersion": "1", "generation": 1, "managedFields": [{}]}
    live = {"kind": "Service", "metadata": metadata, "status": {"x": 1}}
    then = {"kind": "Service", "metadata": {**metadata, "resourceVersion": "2", "generation": 2}}
    assert compare(KubeObject(raw=live), KubeObject(raw=then)).text == ""


def test_what_others_need_is_applied_first_and_stands_in_the_namespace() -> None:
    given: list[dict[str, Any]] = [
        {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "cart", "namespace": "elsewhere"}},
        {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "cart"}},
        {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop"}},
    ]
    placed = place(given, namespace="shop", is_namespaced=lambda kind, _: kind != "Namespace")
    assert [(item["kind"], item["metadata"].get("namespace")) for item in placed] == [
        ("Namespace", None),
        ("ServiceAccount", "shop"),
        ("Deployment", "shop"),
    ]
    kept = place(given, namespace="", is_namespaced=lambda kind, _: kind != "Namespace")
    assert [item["metadata"].get("namespace") for item in kept] == [None, "default", "elsewhere"]
