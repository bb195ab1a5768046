"""Drafts a plan out of known remedies."""

from tasks.plan.draft import DRAFTERS, draft_plan
from tasks.plan.playbooks import PLAYBOOKS

__all__ = ["DRAFTERS", "PLAYBOOKS", "draft_plan"]
