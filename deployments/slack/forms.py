"""The two forms that a button opens: a reason for a no, and other values for what may be edited."""

from deployments.slack.pressing import Ticket
from deployments.slack.text import Block, label, line
from tasks.domain.card import Card
from tasks.intake.slack import FIELD

REJECT_FORM = "healflow.reject_form"
EDIT_FORM = "healflow.edit_form"
REASON = "reason"
MAX_INPUTS = 20


def reject_form(ticket: Ticket) -> Block:
    """Asks why."""
    asked = _input(REASON, "Why not?", "", max_length=1_000, multiline=True)
    return _form(REJECT_FORM, "Reject the plan", "Reject", ticket, [asked])


def edit_form(ticket: Ticket, card: Card) -> Block:
    """One input for each value that may be changed; the new plan passes the gate and is asked about again."""
    told = "The plan with your values is checked by policy and asked about again."
    inputs = [_input(key, _named(card, key), value, max_length=200) for key, value in card.editable.items()]
    blocks = [{"type": "section", "text": label(told, 300)}, *inputs[:MAX_INPUTS]]
    return _form(EDIT_FORM, "Edit the plan", "Plan it anew", ticket, blocks)


def _named(card: Card, key: str) -> str:
    number, _, name = key.partition(".")
    step = next((step for step in card.steps if str(step.number) == number), None)
    told = name.replace("_", " ")
    return f"{told} (step {number}: {line(step.summary, 120)})" if step and len(card.steps) > 1 else told


def _form(name: str, title: str, submit: str, ticket: Ticket, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": name,
        "title": label(title, 24),
        "submit": label(submit, 24),
        "close": label("Cancel", 24),
        "private_metadata": ticket.told(),
        "blocks": blocks,
    }


def _input(key: str, asked: str, value: str, *, max_length: int, multiline: bool = False) -> Block:
    field: Block = {
        "type": "plain_text_input",
        "action_id": FIELD,
        "multiline": multiline,
        "min_length": 1,
        "max_length": max_length,
    }
    if value:
        field["initial_value"] = value[:max_length]
    return {"type": "input", "block_id": key, "label": label(asked, 200), "element": field}
