"""What an action is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.act.context import ActContext
from tasks.domain.base import Noun
from tasks.domain.outcome import ActionResult
from tasks.domain.plan import Action, Remedy, Risk


@dataclass(frozen=True)
class ActionSpec:
    """One row of the registry."""

    name: Remedy
    parameters: type[Noun]
    """The schema of the parameters; unknown fields are refused."""
    risk: Risk
    """The least risk that a plan may claim for the action."""
    preflight: Callable[[ActContext, Action], str]
    apply: Callable[[ActContext, Action, str], ActionResult]
    undo: Callable[[ActContext, ActionResult], ActionResult]
    verify_undone: Callable[[ActContext, ActionResult], bool]
