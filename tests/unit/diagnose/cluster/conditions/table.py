"""Condition: one state of a cluster, and what triage must say of it. Sources are facts, told here in our own words."""

from collections.abc import Callable
from typing import Any

from tasks.domain.base import Noun
from tasks.domain.failure_class import FailureClass as F
from tests.fakes.cluster_state import Raw, State

Plant = Callable[[State], object]
WEB = "Deployment/shop/web"


class Condition(Noun):
    """A row of the coverage table."""

    says: str
    """In our words: what is wrong, or what only looks so."""
    plant: Callable[[State], object]
    expected: F | None = None
    """`None`: nothing is wrong."""
    target: str = ""
    hint: bool = False
    """Whether nothing is broken by it: it stands among the hints, and there is no cause."""
    covers: tuple[str, ...] = ()
    """Rows of the failure catalogue by id; k8sgpt's unit tests by name, its texts by file and line, in the release that
    https://github.com/k8sgpt-ai/k8sgpt/tree/05247a851ba9292ca57e5070f1d0c4d3986b8d4c shows."""


def fault(says: str, plant: Plant, expected: F, target: str = WEB, *covers: str) -> Condition:
    """Something that must be named first."""
    return Condition(says=says, plant=plant, expected=expected, target=target, covers=covers)


def hint(says: str, plant: Plant, expected: F, target: str, *covers: str) -> Condition:
    """Something worth knowing that breaks nothing."""
    return Condition(says=says, plant=plant, expected=expected, target=target, hint=True, covers=covers)


def well(says: str, plant: Plant, *covers: str) -> Condition:
    """Something that looks like a fault and is none."""
    return Condition(says=says, plant=plant, covers=covers)


def crash(*lines: str, code: int = 1, reason: str = "Error", message: str = "") -> Plant:
    """`web` ends again and again with this log."""
    return lambda state: state.crash("web", *lines, code=code, reason=reason, message=message)


def waits(reason: str, message: str = "", event: str = "") -> Plant:
    """The container of `web` never starts."""

    def plant(state: State) -> None:
        for pod in state.wait("web", reason, message):
            if event:
                state.tell(pod, "Failed", event)

    return plant


def pending(message: str) -> Plant:
    """No node takes the pod of `web`."""
    return lambda state: state.pending("web", message)


def unready(*events: tuple[str, str]) -> Plant:
    """The pod of `web` runs and is not ready, and events say this of it."""

    def plant(state: State) -> None:
        for pod in state.unready("web"):
            for reason, message in events:
                state.tell(pod, reason, message)

    return plant


def refused(message: str) -> Plant:
    """The pods of `web` are never made."""

    def plant(state: State) -> None:
        for pod in state.pods("web"):
            state.drop("Pod", pod["metadata"]["name"])
        state.short("web")
        maker = state.get("ReplicaSet", "web-5d4f8c7b9")
        maker["status"] |= {"replicas": 0}
        state.tell(maker, "FailedCreate", message)

    return plant


def put(kind: str, name: str, **rest: Any) -> Plant:
    """An object beside the healthy ones."""
    return lambda state: state.put(kind, name, **rest)


def changed(kind: str, name: str, change: Callable[[Raw], object]) -> Plant:
    """An object of the healthy ones is changed."""
    return lambda state: change(state.get(kind, name))


def both(*plants: Plant) -> Plant:
    """One after another."""

    def plant(state: State) -> None:
        for one in plants:
            one(state)

    return plant
