"""Watches workloads until each serves in its new version, or says that it will not."""

from collections.abc import Callable, Sequence

from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.rollout import Rollout, RolloutState

REVISION = "deployment.kubernetes.io/revision"
ROLLING_KINDS = ("Deployment", "StatefulSet", "DaemonSet")
POLL_SECONDS = 1.0


def watch_rollouts(
    read: Callable[[ObjectRef], KubeObject],
    refs: Sequence[ObjectRef],
    *,
    timeout_seconds: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Rollout, ...]:
    """How each workload ended, in order; one that fails ends the watch at once, and the others are told as they are.

    What is not done within `timeout_seconds` counts as failed.
    """
    until = clock() + timeout_seconds
    while True:
        seen = tuple(rollout_of(read(ref)) for ref in refs)
        done = sum(one.state is RolloutState.DONE for one in seen)
        waiting = next((one for one in seen if one.state is not RolloutState.DONE), None)
        if waiting is None or any(one.state is RolloutState.FAILED for one in seen):
            return seen
        tell(f"{done} of {len(seen)} workloads serve; {waiting.ref}: {waiting.message}")
        if clock() >= until:
            return tuple(_late(one, timeout_seconds) for one in seen)
        wait(POLL_SECONDS)


def _late(one: Rollout, seconds: float) -> Rollout:
    if one.state is RolloutState.DONE:
        return one
    message = f"not done within {seconds:.0f} s: {one.message}"
    return one.model_copy(update={"state": RolloutState.FAILED, "message": message})


def rollout_of(item: KubeObject) -> Rollout:
    """How far a workload has come, as `kubectl rollout status` decides it."""
    state, message = _state(item)
    told = str(item.annotations.get(REVISION) or "")
    return Rollout(ref=item.ref, state=state, message=message, revision=int(told) if told.isdigit() else 0)


def _state(item: KubeObject) -> tuple[RolloutState, str]:
    seen, wanted = _number(item, "status", "observedGeneration"), _number(item, "metadata", "generation")
    if seen < wanted:
        return RolloutState.PROGRESSING, "its controller has not seen the change yet"
    progressing = item.condition("Progressing")
    if progressing.get("status") == "False":
        return RolloutState.FAILED, str(
            progressing.get("message") or progressing.get("reason") or "it does not progress"
        )
    if item.kind == "DaemonSet":
        total = _number(item, "status", "desiredNumberScheduled")
        updated, ready = _number(item, "status", "updatedNumberScheduled"), _number(item, "status", "numberAvailable")
    else:
        found = item.spec.get("replicas")
        total = found if isinstance(found, int) else 1
        updated, ready = _number(item, "status", "updatedReplicas"), _number(item, "status", "availableReplicas")
    if updated < total:
        return RolloutState.PROGRESSING, f"{updated} of {total} pods are of the new version"
    old = _number(item, "status", "replicas") - updated if item.kind == "Deployment" else 0
    if old > 0:
        return RolloutState.PROGRESSING, f"{old} pods of the old version are still there"
    if ready < total:
        return RolloutState.PROGRESSING, f"{ready} of {total} pods are ready"
    return RolloutState.DONE, f"{ready} of {total} pods are ready"


def _number(item: KubeObject, *path: str) -> int:
    found = dig(item.raw, *path)
    return found if isinstance(found, int) else 0
