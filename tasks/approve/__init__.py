"""Puts a plan to a person and reads the answer.

The question is bound to the digest of plan, target state and policy; its answer stands in the ledger, whichever door it
came through.
"""

from tasks.approve.card import question_markdown
from tasks.approve.request import make_request, settle_answer

__all__ = ["make_request", "question_markdown", "settle_answer"]
