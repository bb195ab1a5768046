"""The card as Markdown, for the form of the Prefect UI and wherever else Markdown is shown."""

from tasks.approve.wording import who_may_answer
from tasks.domain.card import Card, CardLink
from tasks.domain.markdown import bounded_diff, fenced, inline, prose, quoted


def question_markdown(card: Card) -> str:
    """What the approver reads: what broke with its quotes, each step with its diff, what it costs and whom it hits."""
    parts = [
        f"### {card.incident_id}: {prose(card.what_broke)}",
        f"{inline(card.place)} · class {inline(card.failure_class)} · confidence {card.confidence:.0%}",
        quoted(card.quotes) if card.quotes else fenced("no line of the evidence shows it"),
        *(f"- could not read {prose(one)}" for one in card.unread),
    ]
    for step in card.steps:
        parts.append(f"**{step.number}. {prose(step.summary)}** · risk {step.risk} · undo: {prose(step.undo)}")
        if step.preview:
            parts.append(bounded_diff(step.preview))
    if card.remembered_incident:
        parts.append(f"The same fix healed {inline(card.remembered_incident)}.")
    weighed = f"Risk: {card.risk}. Price: {card.price}. Who else is affected:"
    parts.append(" ".join((weighed, *(prose(one) for one in card.affected))))
    if card.links:
        parts.append(" · ".join(_link(link) for link in card.links))
    parts.append(f"May answer: {prose(who_may_answer(card.terms, card.said_yes))}.")
    parts.append(f"Until {card.deadline:%Y-%m-%d %H:%M} UTC; silence is no.")
    parts.append(f"Asked because: {prose(card.asked_because)}. The failed thing is tried again before the fix counts.")
    return "\n\n".join(parts)


def _link(link: CardLink) -> str:
    target = link.url.replace("(", "%28").replace(")", "%29")
    return f"[{link.label}]({target})"
