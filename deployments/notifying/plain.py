"""The card as plain text, for mails and the log."""

from tasks.domain.card import Card
from tasks.domain.markdown import MAX_DIFF_LINES, MAX_QUOTED_LINES, readable_diff

SAID = {
    "waiting": "waits for an answer",
    "snoozed": "waits for an answer",
    "approved": "approved",
    "rejected": "rejected",
    "edited": "planned anew with other values, and asked about again",
    "expired": "expired: nobody answered, and silence is no",
    "void": "void: nothing is done any more",
    "healed": "healed",
    "not_healed": "not healed",
    "undone": "undone",
}


def card_text(card: Card) -> str:
    """All that a person needs to decide, without a link."""
    quotes = [f"  | {quote.text}" for quote in card.quotes[:MAX_QUOTED_LINES]]
    parts = [
        f"{card.title}?",
        f"Until {card.deadline:%Y-%m-%d %H:%M} UTC; silence is no.",
        f"What broke: {card.what_broke} ({card.failure_class}, confidence {card.confidence:.0%})\nWhere: {card.place}",
        "\n".join(quotes),
        "\n".join(f"Could not read {one}" for one in card.unread),
        *(_step(card, index) for index in range(len(card.steps))),
        f"Risk: {card.risk}. Price: {card.price}. Who else is affected: {' '.join(card.affected)}",
        f"Asked because: {card.asked_because}",
        "\n".join(f"{link.label}: {link.url}" for link in card.links),
    ]
    return "\n\n".join(part for part in parts if part)


def decision_text(card: Card) -> str:
    """What became of it, and who said so."""
    lines = [f"{card.incident_id} is {SAID[card.state]}."]
    if card.answer is not None:
        who = ", ".join((*card.answer.together_with, card.answer.by))
        sure = "" if card.answer.verified else " (not verified)"
        reason = f": {card.answer.reason}" if card.answer.reason else "."
        lines.append(f"Decided by {who}{sure} at {card.answer.at:%Y-%m-%d %H:%M} UTC{reason}")
    if card.said_yes and card.state.open:
        lines.append(f"Said yes so far: {', '.join(card.said_yes)}; {card.terms.people_needed} people have to.")
    if card.outcome:
        lines.append(card.outcome)
    return "\n".join(lines)


def _step(card: Card, index: int) -> str:
    step = card.steps[index]
    lines = readable_diff(step.preview) if step.preview else []
    more = [f"… {len(lines) - MAX_DIFF_LINES} more lines"] if len(lines) > MAX_DIFF_LINES else []
    shown = "".join(f"\n    {line}" for line in lines[:MAX_DIFF_LINES] + more)
    return f"{step.number}. {step.summary} (on {step.target}, risk {step.risk}; undo: {step.undo}){shown}"
