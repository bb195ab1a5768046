"""The card in Block Kit: what broke, its quotes, each step with its diff, what it costs, whom it hits, and the buttons.

Pure. Slack takes 50 blocks, 3,000 characters of text in one, and about 12,000 in all of them together, which it
does not document: https://github.com/slackapi/bolt-js/issues/2867
"""

import json
from dataclasses import dataclass

from deployments.slack.buttons import buttons
from deployments.slack.deciding import decision_blocks
from deployments.slack.text import (
    MAX_HEADER,
    Block,
    code,
    escaped,
    label,
    line,
    link,
    listed,
    moment_mrkdwn,
    mrkdwn,
    rich,
    sentence,
    words,
)
from tasks.approve import heading_of, who_may_answer
from tasks.domain.card import Card, CardStep
from tasks.domain.evidence import EvidenceLine
from tasks.domain.markdown import readable_diff


@dataclass(frozen=True)
class Room:
    """How much of a card is shown; `preview_characters` are shared by the previews of all steps."""

    quotes: int
    quote_characters: int
    steps: int
    summary_characters: int
    preview_characters: int


ROOMS = (Room(8, 1_500, 4, 300, 4_000), Room(5, 800, 3, 200, 2_000), Room(3, 400, 2, 120, 500))
"""The first with which the whole card fits is taken."""
MAX_PREVIEW_LINES = 60
MAX_JSON_CHARACTERS = 12_000


def card_blocks(card: Card) -> list[Block]:
    """The whole card, within all of Slack's limits: long diffs are cut and say where the rest is."""
    blocks: list[Block] = []
    for room in ROOMS:
        blocks = _blocks(card, room)
        if len(json.dumps(blocks, ensure_ascii=False)) <= MAX_JSON_CHARACTERS:
            break
    return blocks


def card_text(card: Card) -> str:
    """The card in one line, for notifications and screen readers."""
    return escaped(f"{heading_of(card)}. {card.what_broke}", 600)


def _blocks(card: Card, room: Room) -> list[Block]:
    heading = {"type": "header", "text": label(heading_of(card), MAX_HEADER)}
    blocks = [heading, *decision_blocks(card), rich(_what_broke(card), code(_quoted(card.quotes, room)))]
    if card.unread:
        blocks.append(rich(listed(*(sentence(words(f"could not read {one}", limit=160)) for one in card.unread[:3]))))
    blocks += _steps(card, room)
    blocks += [_facts(card), rich(sentence(words("Who else is affected: ", bold=True), words(_affected(card))))]
    if card.links:
        runs = [run for one in card.links for run in (words(" · "), link(one.label, one.url))]
        blocks.append(rich(sentence(*runs[1:])))
    if card.state.open:
        blocks.append(buttons(card))
    blocks.append({"type": "context", "elements": [mrkdwn(_small_print(card))]})
    return blocks


def _what_broke(card: Card) -> Block:
    certain = f"{card.failure_class}, {card.confidence:.0%} sure, said by {card.said_by}"
    return sentence(
        words(line(card.what_broke, 500), bold=True),
        words(f"\n{line(card.place, 200)} · environment {line(card.environment, 40)}\n{line(certain, 200)}"),
    )


def _quoted(quotes: tuple[EvidenceLine, ...], room: Room) -> str:
    rows = []
    for quote in quotes[: room.quotes]:
        where = f"{quote.source}:{quote.line_number}" if quote.line_number else quote.source
        rows.append(f"{quote.id}  {line(where, 60)}  {line(quote.text, 240)}")
    left = len(quotes) - room.quotes
    told = "\n".join(rows) or "no line of the evidence shows it"
    return line_bounded(told, room.quote_characters) + (f"\n… and {left} more" if left > 0 else "")


def line_bounded(text: str, limit: int) -> str:
    """Whole lines of the text up to so many characters, at least the beginning of the first."""
    if len(text) <= limit:
        return text
    return text[:limit].rpartition("\n")[0] or text[:limit]


def _steps(card: Card, room: Room) -> list[Block]:
    shown = card.steps[: room.steps]
    each = room.preview_characters // max(1, sum(bool(step.preview) for step in shown))
    blocks = [_step(card, step, each, room.summary_characters) for step in shown]
    if len(card.steps) > room.steps:
        more = f"… and {len(card.steps) - room.steps} more steps: {_whole(card)}"
        blocks.append(rich(sentence(words(more))))
    return blocks


def _step(card: Card, step: CardStep, characters: int, summary_characters: int) -> Block:
    undo = line(step.undo, summary_characters)
    told = [words(f"Undo: {undo}")]  # a single step stands in the heading already, and its risk below
    if len(card.steps) > 1 or len(heading_of(card)) > MAX_HEADER:
        summary = f"{step.number}. {line(step.summary, summary_characters)}\n"
        told = [words(summary, bold=True), words(f"risk {step.risk} · undo: {undo}")]
    if not step.preview:
        return rich(sentence(*told))
    lines = readable_diff(step.preview)
    shown = line_bounded("\n".join(one[:300] for one in lines[:MAX_PREVIEW_LINES]), characters)
    left = len(lines) - len(shown.splitlines())
    cut = [sentence(words(f"… {left} more lines: {_whole(card)}"))] if left > 0 else []
    return rich(sentence(*told), code(shown), *cut)


def _whole(card: Card) -> str:
    return f"healflow show {card.incident_id}"


def _facts(card: Card) -> Block:
    rows = {"Risk": str(card.risk), "Price": escaped(card.price, 100)}
    if card.state.open:
        rows |= {"Answer by": f"{moment_mrkdwn(card.deadline)}; silence is no", "May answer": escaped(_who(card), 600)}
    return {"type": "section", "fields": [mrkdwn(f"*{name}*\n{value}") for name, value in rows.items()]}


def _who(card: Card) -> str:
    return who_may_answer(card.terms, card.said_yes, anybody="anybody here")


def _affected(card: Card) -> str:
    return line(" ".join(card.affected), 600)


def _small_print(card: Card) -> str:
    because = f"asked because {escaped(card.asked_because, 200)} · " if card.asked_because else ""
    again = f"the same fix healed {card.remembered_incident} · " if card.remembered_incident else ""
    return f"{card.incident_id} · {because}{again}plan `{card.plan_digest[:12]}`"
