"""Writes the approval page: a card as HTML with forms that need no script. Whatever is not ours is escaped."""

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import NamedTuple

from deployments.gateway.page_style import STYLE
from tasks.approve import WORDINGS, deciders, place_of, who_may_answer
from tasks.domain.approval import came_from
from tasks.domain.card import Card, CardState, CardStep
from tasks.domain.markdown import MAX_DIFF_LINES, MAX_QUOTED_LINES, readable_diff, visible

MAX_PROGRESS = 30


class Reader(NamedTuple):
    """For whom the page is, and what the forms on it bring along."""

    name: str
    vouched_by: str
    """Who made the link; empty when that was the same person."""
    seal: str
    may_approve: str = ""
    """Why this person's yes would not count; empty when it would."""
    problem: str = ""
    """What was wrong with the form that was just sent; nothing was recorded."""
    typed: tuple[tuple[str, str], ...] = ()
    """What had been typed into that form."""


def card_page(card: Card, reader: Reader, *, now: datetime) -> str:
    """The whole page of a question, with the forms while it takes an answer."""
    parts = [_head(card, reader, now)]
    if not card.state.open:
        parts.append(_decided(card))
    parts += [_broke(card), _steps(card), _facts(card)]
    if card.state.open:
        parts.append(_forms(card, reader))
    elif card.progress:
        parts.append(_progress(card))
    return _document(f"{card.incident_id}: {card.title}", "".join(parts), jump=card.state.open)


def message_page(title: str, text: str, *, good: bool = False) -> str:
    """A page that says one thing."""
    kind = "good" if good else "bad"
    body = (
        f'<header><p><span class="pill {kind}">Healflow</span></p><h1>{seen(title)}</h1>'
        f'<p role="alert">{seen(text)}</p></header>'
    )
    return _document(title, body)


def seen(text: str) -> str:
    """Outside text as HTML: escaped, and what would be invisible or turn the text around is written out."""
    return escape(visible(text))


def _document(title: str, body: str, *, jump: bool = False) -> str:
    skip = '<a class="jump" href="#answer">To the answer</a>' if jump else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{seen(title)}</title><style>{STYLE}</style></head><body>{skip}<main>{body}</main></body></html>"
    )


def _head(card: Card, reader: Reader, now: datetime) -> str:
    wording = WORDINGS[card.state]
    made = f", {seen(came_from(reader.vouched_by))}" if reader.vouched_by else ""
    until = (
        f"<p>Until <strong>{_time(card.deadline)}</strong> ({_left(card, now)}); silence is no.</p>"
        if card.state.open
        else ""
    )
    return (
        f'<header><p><span class="pill {wording.tone}">{wording.heading}</span>'
        f'<span class="pill {_risk(card.risk)}">risk {card.risk}</span></p>'
        f'<h1>{seen(card.title)}</h1><p class="soft">{seen(card.incident_id)} · {seen(card.place)}</p>{until}'
        f'<p class="soft">This link is for <strong>{seen(reader.name)}</strong>{made}. '
        "Whoever holds it answers in that name, so pass it on to nobody.</p></header>"
    )


def _decided(card: Card) -> str:
    lines, answer = [], card.answer
    if answer is not None and card.state is not CardState.EXPIRED:
        lines.append(
            f"<p>Decided by <strong>{seen(deciders(answer))}</strong> {seen(place_of(answer))}, {_time(answer.at)}.</p>"
        )
        if answer.reason:
            lines.append(f"<p>“{seen(answer.reason)}”</p>")
    lines += [f"<p>{seen(told)}</p>" for told in (WORDINGS[card.state].meaning, card.outcome) if told]
    return _section("Decision", "".join(lines), role="status")


def _broke(card: Card) -> str:
    quotes = [f"{quote.source}:{quote.line_number or '–'}  {quote.text}" for quote in card.quotes[:MAX_QUOTED_LINES]]
    if len(card.quotes) > MAX_QUOTED_LINES:
        quotes.append(f"… and {len(card.quotes) - MAX_QUOTED_LINES} more")
    shown = "".join(f"<span>{seen(line)}</span>" for line in quotes)
    unread = _list(f"could not read {one}" for one in card.unread)
    return _section(
        "What broke",
        f"<p><strong>{seen(card.what_broke)}</strong></p>"
        f'<p class="soft">class <code>{seen(card.failure_class)}</code> · confidence {card.confidence:.0%} · '
        f"said by {seen(card.said_by)}</p>"
        + (f'<pre tabindex="0" aria-label="Quoted evidence">{shown}</pre>' if shown else "")
        + unread,
    )


def _steps(card: Card) -> str:
    return _section("What would be done", f'<ol class="steps">{"".join(map(_step, card.steps))}</ol>')


def _step(step: CardStep) -> str:
    preview = f"<details open><summary>The change of step {step.number}</summary>{_diff(step.preview)}</details>"
    return (
        f"<li><h3>{step.number}. {seen(step.summary)}</h3>"
        f'<p class="soft">on <code>{seen(step.target)}</code> · risk {step.risk} · undo: {seen(step.undo)}</p>'
        f"{preview if step.preview else ''}</li>"
    )


def _diff(preview: str) -> str:
    lines = readable_diff(preview)
    shown = "".join(f"<span{_kind(line)}>{seen(line)}</span>" for line in lines[:MAX_DIFF_LINES])
    more = len(lines) - MAX_DIFF_LINES
    cut = f'<p class="notice">{more} more lines are not shown; healflow show prints all of it.</p>' if more > 0 else ""
    return f'<pre tabindex="0" aria-label="Difference">{shown}</pre>{cut}'


def _kind(line: str) -> str:
    if line.startswith(("+++", "---", "@@", "diff ")):
        return ' class="at"'
    return {"+": ' class="add"', "-": ' class="del"'}.get(line[:1], "")


def _facts(card: Card) -> str:
    rows = [
        ("Asked because", seen(card.asked_because)),
        ("Who else is affected", "<br>".join(map(seen, card.affected))),
        ("Price", seen(card.price)),
        ("May answer", seen(who_may_answer(card.terms, card.said_yes))),
        ("Proof", "the failed thing is tried again before the fix counts"),
    ]
    if card.remembered_incident:
        rows.append(("Seen before", f"the same fix healed {seen(card.remembered_incident)}"))
    if card.links:
        found = (
            f'<a href="{escape(link.url)}" rel="noreferrer noopener">{seen(link.label)}</a>' for link in card.links
        )
        rows.append(("Look further", " · ".join(found)))
    return _section("To weigh", f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in rows)}</dl>")


def _forms(card: Card, reader: Reader) -> str:
    seal = f'<input type="hidden" name="seal" value="{escape(reader.seal)}">'
    parts = [f'<p class="notice" role="alert">{seen(reader.problem)}</p>' if reader.problem else ""]
    if reader.may_approve:
        parts.append(f'<p class="notice">{seen(reader.may_approve)}. You can still say no.</p>')
    else:
        parts.append(_yes_form(card, seal))
    parts.append(_reject_form(seal, reader))
    if card.editable and not reader.may_approve:
        parts.append(_edit_form(card, seal, reader))
    parts.append(_snooze_form(card, seal))
    return (
        f'<section id="answer" aria-labelledby="h-answer"><h2 id="h-answer">Your answer</h2>{"".join(parts)}</section>'
    )


def _yes_form(card: Card, seal: str) -> str:
    merge = (
        '<button class="plain" name="answer" value="approve_and_merge">Approve and merge</button>'
        '<p class="soft">Approve leaves a proven fix on its branch; the other merges it, too.</p>'
    )
    return (
        f'<form method="post">{seal}<button class="yes" name="answer" value="approve">Approve</button>'
        f"{merge if card.can_merge else ''}</form>"
    )


def _reject_form(seal: str, reader: Reader) -> str:
    typed = dict(reader.typed).get("reason", "")
    return (
        f'<form method="post">{seal}<label for="reason">Reason for a no</label>'
        f'<textarea id="reason" name="reason" maxlength="1000" required>{seen(typed)}</textarea>'
        '<button class="no" name="answer" value="reject">Reject</button></form>'
    )


def _edit_form(card: Card, seal: str, reader: Reader) -> str:
    typed = dict(reader.typed)
    fields = "".join(
        f'<label for="f{number}">{seen(name.partition(".")[2])} of step {seen(name.partition(".")[0])}</label>'
        f'<input id="f{number}" name="edit.{escape(name)}" maxlength="200" required '
        f'value="{seen(typed.get(f"edit.{name}", value))}">'
        for number, (name, value) in enumerate(card.editable.items(), 1)
    )
    opened = " open" if any(name.startswith("edit.") for name in typed) else ""
    return (
        f"<details{opened}><summary>Change the parameters first</summary>"
        "<p>The plan is made anew with your values, passes policy again, and is asked about again.</p>"
        f'<form method="post">{seal}{fields}'
        '<button class="plain" name="answer" value="edit">Plan with these values</button></form></details>'
    )


def _snooze_form(card: Card, seal: str) -> str:
    quiet = card.snoozed_until if card.state is CardState.SNOOZED else None
    told = (
        f"Quiet until {_time(quiet)}; the deadline stays."
        if quiet
        else "Reminds nobody for an hour; the deadline stays."
    )
    return (
        f'<form method="post">{seal}<button class="plain" name="answer" value="snooze">Snooze 1 hour</button>'
        f'<p class="soft" role="status">{told}</p></form>'
    )


def _progress(card: Card) -> str:
    rows = "".join(f"<li>{entry.at:%H:%M:%S} {seen(entry.what)}</li>" for entry in card.progress[-MAX_PROGRESS:])
    return _section("What happened since", f"<ol>{rows}</ol>")


def _section(title: str, body: str, *, role: str = "") -> str:
    slug = title.lower().replace(" ", "-")
    marked = f' role="{role}"' if role else ""
    return f'<section aria-labelledby="h-{slug}"{marked}><h2 id="h-{slug}">{title}</h2>{body}</section>'


def _list(rows: Iterable[str]) -> str:
    items = "".join(f"<li>{seen(row)}</li>" for row in rows)
    return f"<ul>{items}</ul>" if items else ""


def _risk(risk: str) -> str:
    return {"low": "good", "medium": "warn"}.get(risk, "bad")


def _time(at: datetime) -> str:
    return f'<time datetime="{at.isoformat()}">{at:%Y-%m-%d %H:%M} UTC</time>'


def _left(card: Card, now: datetime) -> str:
    minutes = max(0, int((card.deadline - now).total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min left" if hours else f"{rest} min left"
