"""Decides whether a plan may run: policy in Rego (allow-list, default deny), and a floor in Python, ANDed."""

from tasks.gate.decide import current_policy_digest, decide

__all__ = ["current_policy_digest", "decide"]
