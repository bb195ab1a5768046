"""Turns a change of a live object into a change of the manifest in git that describes it."""

from tasks.plan.gitops.draft import IntoGit

__all__ = ["IntoGit"]
