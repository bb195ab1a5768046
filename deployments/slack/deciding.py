"""What stands on top of a card once something became of it: who decided, how it goes, and how it ended."""

from deployments.slack.text import Block, line, listed, moment, plain, rich, sentence, words
from tasks.domain.card import Card, CardState

MAX_PROGRESS = 5
_SAID = {
    CardState.APPROVED: "Approved",
    CardState.HEALED: "Approved",
    CardState.NOT_HEALED: "Approved",
    CardState.UNDONE: "Approved",
    CardState.VOID: "Answered",
    CardState.REJECTED: "Rejected",
    CardState.EDITED: "Edited",
}


def decision_blocks(card: Card) -> list[Block]:
    """Nothing while the question simply waits."""
    lines = [*_snoozed(card), *_decided(card)]
    if card.outcome and card.state.ended:
        lines.append(sentence(words(line(card.outcome, 500), bold=True)))
    blocks = [rich(*_apart(lines))] if lines else []
    told = [entry.what for entry in card.progress if not (card.outcome and entry.what.endswith(card.outcome))]
    if told and not card.state.open:
        blocks.append(rich(listed(*(_progress(what) for what in told[-MAX_PROGRESS:]))))
    return blocks


def _progress(what: str) -> Block:
    return sentence(words(line(what, 160)))


def _apart(lines: list[Block]) -> list[Block]:
    """Paragraphs of rich text stand in one line unless one ends it."""
    return [
        one if last else {**one, "elements": [*one["elements"], words("\n")]}
        for one, last in zip(lines, [False] * (len(lines) - 1) + [True], strict=True)
    ]


def _snoozed(card: Card) -> list[Block]:
    if card.state is not CardState.SNOOZED or card.snoozed_until is None:
        return []
    return [sentence(words("Quiet until "), moment(card.snoozed_until), words("; the deadline stays."))]


def _decided(card: Card) -> list[Block]:
    if card.state is CardState.EXPIRED:
        return [sentence(words("Nobody answered in time, and silence is no: nothing was done."))]
    if card.state is CardState.VOID and card.answer is None:
        return [sentence(words("The heal has moved on without an answer: this one takes none any more."))]
    answer = card.answer
    if answer is None:
        return []
    together = f" together with {', '.join(answer.together_with)}" if answer.together_with else ""
    unsure = "" if answer.verified else " (a typed name, not verified)"
    said = _SAID.get(card.state, "Answered")
    runs = [
        words(f"{said} by "),
        words(line(answer.by, 80), bold=True),
        words(f"{plain(together, 200)}{unsure} through {answer.channel.replace('_', ' ')}, "),
        moment(answer.at),
    ]
    if answer.reason:
        runs.append(words(f": {line(answer.reason, 300)}"))
    if card.state is CardState.EDITED:
        runs.append(words(". Another card asks about the new plan."))
    return [sentence(*runs)]
