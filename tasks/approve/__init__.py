"""Puts a plan to a person and reads the answer.

The question is bound to the digest of plan, target state and policy; its answer stands in the ledger, whichever door it
came through.
"""

from tasks.approve.answering import (
    answer_newest,
    answer_question,
    attempt_at,
    expire,
    find_question,
    give_up,
    put_question,
    refuse_answer,
    withdrawal,
)
from tasks.approve.card import can_merge, make_card
from tasks.approve.editing import check_edit, editable
from tasks.approve.judging import identify, identify_holder, judge
from tasks.approve.linking import form_seal, is_form_seal, read_link, sign_link
from tasks.approve.markdown import question_markdown
from tasks.approve.request import make_request
from tasks.approve.wording import WORDINGS, Tone, deciders, heading_of, place_of, who_may_answer

__all__ = [
    "WORDINGS",
    "Tone",
    "answer_newest",
    "answer_question",
    "attempt_at",
    "can_merge",
    "check_edit",
    "deciders",
    "editable",
    "expire",
    "find_question",
    "form_seal",
    "give_up",
    "heading_of",
    "identify",
    "identify_holder",
    "is_form_seal",
    "judge",
    "make_card",
    "make_request",
    "place_of",
    "put_question",
    "question_markdown",
    "read_link",
    "refuse_answer",
    "sign_link",
    "who_may_answer",
    "withdrawal",
]
