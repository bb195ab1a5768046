"""Finds the cause in the evidence: ordered rules, each claim quoting lines, and *unknown* where none holds."""

from tasks.diagnose.reason import diagnose
from tasks.diagnose.registry import signatures

__all__ = ["diagnose", "signatures"]
