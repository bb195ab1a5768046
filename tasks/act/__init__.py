"""Carries out the actions of a plan, and takes them back.

Every action has a preflight, a pre-image, an `apply` that can be repeated without acting twice, and an undo whose
effect is read again.
"""

from tasks.act.actions.comment_triage import comment_action
from tasks.act.actions.merge_fix import merge_action
from tasks.act.actions.open_pull_request import pull_request_action
from tasks.act.actions.set_commit_status import status_action
from tasks.act.checkout import close_checkout, fix_tip, open_checkout
from tasks.act.context import ActContext, ClusterContext, action_key
from tasks.act.registry import ACTIONS, apply, check_action, preflight, undo, verify_undone

__all__ = [
    "ACTIONS",
    "ActContext",
    "ClusterContext",
    "action_key",
    "apply",
    "check_action",
    "close_checkout",
    "comment_action",
    "fix_tip",
    "merge_action",
    "open_checkout",
    "preflight",
    "pull_request_action",
    "status_action",
    "undo",
    "verify_undone",
]
