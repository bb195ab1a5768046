"""What stands on top of a card once something became of it: who decided, how it goes, and how it ended."""

from deployments.slack.text import Block, line, listed, moment, rich, sentence, words
from tasks.approve import WORDINGS, deciders, place_of
from tasks.domain.card import Card, CardAnswer, CardState

MAX_PROGRESS = 5


def decision_blocks(card: Card) -> list[Block]:
    """Nothing while the question simply waits."""
    lines = _told(card)
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


def _told(card: Card) -> list[Block]:
    """What the state means, and who decided."""
    meaning = WORDINGS[card.state].meaning
    if card.state is CardState.SNOOZED and card.snoozed_until is not None:
        return [sentence(words("Quiet until "), moment(card.snoozed_until), words(f". {meaning}"))]
    lines = (
        [sentence(*_decided(card.answer))] if card.answer is not None and card.state is not CardState.EXPIRED else []
    )
    return [*lines, sentence(words(meaning))] if meaning else lines


def _decided(answer: CardAnswer) -> list[Block]:
    runs = [
        words("Decided by "),
        words(line(deciders(answer), 280), bold=True),
        words(f" {place_of(answer)}, "),
        moment(answer.at),
    ]
    return [*runs, words(f": {line(answer.reason, 300)}")] if answer.reason else runs
