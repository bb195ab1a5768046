"""Proves that the thing that failed now passes."""

from tasks.verify.checks import JobRunner, verify_by_rerun

__all__ = ["JobRunner", "verify_by_rerun"]
