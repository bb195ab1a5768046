"""The registry of actions: what is not in it cannot be done, and what its schemas do not name is refused."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from tasks.act.actions import (
    add_dependency,
    bump_dependency,
    change_manifest,
    comment_triage,
    delete_pod,
    merge_fix,
    open_pull_request,
    patch_service,
    patch_workload,
    pin_dependency,
    quarantine_test,
    reapply_object,
    recreate_job,
    report_only,
    rerun_failed_jobs,
    restart_coredns,
    restart_rollout,
    revert_commit,
    roll_back_rollout,
    run_formatter,
    scale_workload,
    set_commit_status,
    size_resources,
    suspend_cron_job,
    uncordon_node,
)
from tasks.act.context import ActContext, ClusterContext
from tasks.act.spec import ActionSpec
from tasks.domain.outcome import ActionResult
from tasks.domain.plan import Action, Remedy, Risk
from tasks.errors import PermanentError

_MODULES = (
    rerun_failed_jobs,
    run_formatter,
    add_dependency,
    comment_triage,
    pin_dependency,
    bump_dependency,
    quarantine_test,
    revert_commit,
    merge_fix,
    open_pull_request,
    comment_triage,
    set_commit_status,
    report_only,
)
_CLUSTER_SPECS = (
    roll_back_rollout.SPEC,
    patch_service.SPEC,
    restart_rollout.SPEC,
    patch_workload.SPEC,
    size_resources.SPEC,
    scale_workload.SPEC,
    delete_pod.SPEC,
    uncordon_node.SPEC,
    suspend_cron_job.SPEC,
    restart_coredns.SPEC,
    reapply_object.SPEC,
    recreate_job.SPEC,
    change_manifest.SPEC,
)
ACTIONS: Mapping[Remedy, ActionSpec[Any]] = MappingProxyType(
    {spec.name: spec for spec in (*(module.SPEC for module in _MODULES), *_CLUSTER_SPECS)}
)
Context = ActContext | ClusterContext
_RISKS = tuple(Risk)


def check_action(action: Action) -> ActionSpec[Any]:
    """The row of a valid action.

    Raises:
        PermanentError: its name is unknown, its parameters do not fit their schema, or it understates its risk.
    """
    spec = next((row for name, row in ACTIONS.items() if name == action.name), None)
    if spec is None:
        raise PermanentError(f"{action.name[:80]!r} is not an action; there are {', '.join(ACTIONS)}")
    try:
        spec.parameters.model_validate(dict(action.parameters))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise PermanentError(f"the parameters of {action.name} are refused: {told}") from error
    if _RISKS.index(action.risk) < _RISKS.index(spec.risk):
        raise PermanentError(f"{action.name} has at least the risk {spec.risk}, not {action.risk}")
    return spec


def _spec_for(context: Context, action: Action) -> ActionSpec[Any]:
    spec = check_action(action)
    _require_context(spec, context)
    return spec


def _require_context(spec: ActionSpec[Any], context: Context) -> None:
    if not isinstance(context, spec.context):
        raise PermanentError(f"{spec.name} does not work in a {type(context).__name__}")


def preflight(context: Context, action: Action) -> str:
    """Check that the action can be taken, and return its pre-image as JSON, to be recorded before `apply`.

    Raises:
        ConflictError: the target is no longer as it was when the plan was made; the plan is void.
        PermanentError: the action is refused.
    """
    return _spec_for(context, action).preflight(context, action)


def apply(context: Context, action: Action, pre_image: str) -> ActionResult:
    """Take the action; taken before, by an attempt that was interrupted, it is not taken twice.

    Raises:
        ConflictError: the target moved after the preflight.
        PermanentError: the action is refused.
    """
    return _spec_for(context, action).apply(context, action, pre_image)


def undo(context: Context, action: Action, result: ActionResult) -> ActionResult:
    """Take the action back; again is fine.

    Raises:
        ConflictError: the target moved since, so that undoing would destroy other people's work.
    """
    return _spec_for(context, action).undo(context, result)


def verify_undone(context: Context, result: ActionResult) -> bool:
    """Read again whether the target is as it was before the action.

    Raises:
        PermanentError: no action of that name exists.
    """
    spec = next((row for name, row in ACTIONS.items() if name == result.action_name), None)
    if spec is None:
        raise PermanentError(f"{result.action_name[:80]!r} is not an action")
    _require_context(spec, context)
    return bool(spec.verify_undone(context, result))
