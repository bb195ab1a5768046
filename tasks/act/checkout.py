"""The worktree of a heal: where the fix stands to be verified."""

from pathlib import Path

from tasks.act.context import ActContext


def open_checkout(context: ActContext) -> Path:
    """A clean worktree of the fix, or of the failing commit when nothing was changed."""
    tip = fix_tip(context)
    return context.workspace.prepare(
        context.repository,
        name=context.worktree_name,
        commit=context.plan.target_state,
        branch=context.branch if tip else None,
    )


def fix_tip(context: ActContext) -> str | None:
    """The commit at the end of our branch, `None` when there is no branch."""
    return context.workspace.branch_tip(context.repository, context.branch)


def close_checkout(context: ActContext) -> None:
    """Remove the worktree; the branch stays."""
    context.workspace.remove(context.repository, context.worktree_name)
