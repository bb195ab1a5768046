"""The card as plain text, for mails and the log."""

from tasks.approve import WORDINGS, deciders, place_of, who_may_answer
from tasks.domain.card import Card, CardState
from tasks.domain.markdown import MAX_DIFF_LINES, MAX_QUOTED_LINES, quote, readable_diff, visible


def card_text(card: Card) -> str:
    """All that a person needs to decide, without a link."""
    quotes = [quote(line) for line in card.quotes[:MAX_QUOTED_LINES]]
    parts = [
        f"{_line(card.title)}?",
        f"Until {card.deadline:%Y-%m-%d %H:%M} UTC; silence is no.",
        f"What broke: {_line(card.what_broke)} ({card.failure_class}, confidence {card.confidence:.0%})\n"
        f"Where: {_line(card.place)}",
        "\n".join(quotes),
        "\n".join(f"Could not read {_line(one)}" for one in card.unread),
        *(_step(card, index) for index in range(len(card.steps))),
        f"Risk: {card.risk}. Price: {card.price}. Who else is affected: {_line(' '.join(card.affected))}",
        f"Asked because: {_line(card.asked_because)}",
        f"May answer: {who_may_answer(card.terms, card.said_yes)}.",
        "\n".join(f"{link.label}: {link.url}" for link in card.links),
    ]
    return "\n\n".join(part for part in parts if part)


def decision_text(card: Card) -> str:
    """What became of it, and who said so."""
    wording = WORDINGS[card.state]
    lines = [f"{card.incident_id}: {wording.heading}. {wording.meaning}".rstrip()]
    if card.answer is not None and card.state is not CardState.EXPIRED:
        reason = f": {_line(card.answer.reason)}" if card.answer.reason else "."
        when = f"at {card.answer.at:%Y-%m-%d %H:%M} UTC"
        lines.append(f"Decided by {deciders(card.answer)} {place_of(card.answer)}, {when}{reason}")
    if card.said_yes and card.state.open:
        lines.append(f"May answer: {who_may_answer(card.terms, card.said_yes)}.")
    if card.outcome:
        lines.append(_line(card.outcome))
    return "\n".join(lines)


def _step(card: Card, index: int) -> str:
    step = card.steps[index]
    lines = readable_diff(step.preview) if step.preview else []
    more = [f"… {len(lines) - MAX_DIFF_LINES} more lines"] if len(lines) > MAX_DIFF_LINES else []
    shown = "".join(f"\n    {line}" for line in lines[:MAX_DIFF_LINES] + more)
    where = f"on {_line(step.target)}, risk {step.risk}; undo: {_line(step.undo)}"
    return f"{step.number}. {_line(step.summary)} ({where}){shown}"


def _line(text: str) -> str:
    """Outside text in one line: it makes no line that passes for one of ours, as of a link to answer by."""
    return visible(" ".join(text.split()))
