"""The card as Markdown, for the form of the Prefect UI and wherever else Markdown is shown."""

from tasks.domain.approval import ApprovalTerms
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
    parts.append(f"Price: {card.price}. Who else is affected: {' '.join(prose(one) for one in card.affected)}")
    if card.links:
        parts.append(" · ".join(_link(link) for link in card.links))
    parts.append(who_may_answer(card.terms))
    parts.append(f"Until {card.deadline:%Y-%m-%d %H:%M} UTC; silence is no.")
    parts.append(f"Asked because: {prose(card.asked_because)}. The failed thing is tried again before the fix counts.")
    return "\n\n".join(parts)


def who_may_answer(terms: ApprovalTerms) -> str:
    """The terms in one line of Markdown."""
    who = ", ".join(inline(name) for name in terms.approvers) or "anybody who can answer"
    people = "" if terms.people_needed == 1 else f" {terms.people_needed} different people have to say yes."
    author = "" if terms.author_may_approve else " The author of the change may not approve it."
    typed = "" if terms.typed_name_counts else " A typed name does not count here."
    link = "" if terms.link_counts else " A yes through a link does not count here."
    return f"May answer: {who}.{people}{author}{typed}{link}"


def _link(link: CardLink) -> str:
    target = link.url.replace("(", "%28").replace(")", "%29")
    return f"[{link.label}]({target})"
