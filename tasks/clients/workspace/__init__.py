"""The user's repository, through git: heals work in worktrees and on branches of their own, and a branch is moved only
from the commit that was seen when the move was decided.
"""

from tasks.clients.workspace.manifests import Manifests, open_manifests
from tasks.clients.workspace.mirror import Mirrors
from tasks.clients.workspace.workspace import BRANCH_PREFIX, Workspace
from tasks.clients.workspace.worktree import apply_patch, changed_files, diff_of, last_author, restore, stage_revert

__all__ = [
    "BRANCH_PREFIX",
    "Manifests",
    "Mirrors",
    "Workspace",
    "apply_patch",
    "changed_files",
    "diff_of",
    "last_author",
    "open_manifests",
    "restore",
    "stage_revert",
]
