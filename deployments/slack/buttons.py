"""The buttons of a card that waits. What each carries binds it to this plan; who presses is judged afterwards."""

from deployments.slack.pressing import Press, ticket_of
from deployments.slack.text import Block, label
from tasks.domain.card import Card
from tasks.domain.plan import Risk


def buttons(card: Card) -> Block:
    """The row of buttons: merging where that is another answer, editing where something can be edited."""
    value = ticket_of(card).told()
    row = [_button(Press.APPROVE, "Approve", value, style="primary", confirm=_confirm(card))]
    if card.can_merge:
        row.append(_button(Press.APPROVE_AND_MERGE, "Approve and merge", value, confirm=_confirm(card)))
    row.append(_button(Press.REJECT, "Reject…", value, style="danger"))
    if card.editable:
        row.append(_button(Press.EDIT, "Edit parameters…", value))
    row.append(_button(Press.SNOOZE, "Snooze 1 hour", value))
    return {"type": "actions", "elements": row}


def _button(press: Press, text: str, value: str, *, style: str = "", confirm: Block | None = None) -> Block:
    button: Block = {"type": "button", "action_id": str(press), "text": label(text), "value": value}
    if style:
        button["style"] = style
    if confirm is not None:
        button["confirm"] = confirm
    return button


def _confirm(card: Card) -> Block | None:
    """Slack asks once more where the plan can spoil production."""
    if card.risk is not Risk.HIGH:
        return None
    return {
        "title": label("High risk", 100),
        "text": label(f"{card.title}? The undo: {card.steps[0].undo}", 300),
        "confirm": label("Carry it out", 30),
        "deny": label("Not yet", 30),
        "style": "danger",
    }
