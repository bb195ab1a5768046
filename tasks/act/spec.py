"""What an action is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tasks.act.context import ActContext
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult
from tasks.domain.plan import Action, Remedy, Risk

ContextT = TypeVar("ContextT")


class Right(Noun):
    """What an action needs the API server to permit, as RBAC names it."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    namespace: str = ""
    """The only namespace that it is for; empty is each in which something may be changed."""
    names: tuple[str, ...] = ()
    """The only objects that it is for; empty is all."""


@dataclass(frozen=True)
class ActionSpec(Generic[ContextT]):
    """One row of the registry."""

    name: Remedy
    parameters: type[Noun]
    """The schema of the parameters; unknown fields are refused."""
    risk: Risk
    """The least risk that a plan may claim for the action."""
    preflight: Callable[[ContextT, Action], str]
    apply: Callable[[ContextT, Action, str], ActionResult]
    undo: Callable[[ContextT, ActionResult], ActionResult]
    verify_undone: Callable[[ContextT, ActionResult], bool]
    context: type[Any] = ActContext
    """Where it works: a repository, or a cluster."""
    rights: tuple[Right, ...] = ()
    """What it does in a cluster; the healer's account has these and nothing else."""
