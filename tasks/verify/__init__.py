"""Proves that the thing that failed now passes."""

from tasks.verify.checks import JobRunner, verify_by_rerun
from tasks.verify.hosted import verify_attempt, verify_patch_here

__all__ = ["JobRunner", "verify_attempt", "verify_by_rerun", "verify_patch_here"]
