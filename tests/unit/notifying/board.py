"""A channel that behaves: a board on which cards hang, which can be away, busy, or lose a card."""

from collections.abc import Callable

from deployments.notifying import Reference
from tasks.domain.card import Card, CardState
from tasks.errors import NotFoundError


class Board:
    """Implements `Channel`; `faults` are raised one after another, before anything is done."""

    def __init__(self, name: str = "board") -> None:
        self.name = name
        self.hung: list[list[CardState]] = []
        """For each card that was ever sent, the states that it was shown in."""
        self.lines: list[str] = []
        self.calls = 0
        self.fault: Callable[[], Exception | None] = lambda: None
        self.taken_down: set[str] = set()

    def away(self, error: Exception, *, times: int | None = None) -> None:
        """Fail so many times, or until `back`."""
        left = [times if times is not None else 10**9]

        def fault() -> Exception | None:
            left[0] -= 1
            return error if left[0] >= 0 else None

        self.fault = fault

    def back(self) -> None:
        self.fault = lambda: None

    def send(self, card: Card) -> Reference:
        self._answer()
        self.hung.append([card.state])
        return Reference(channel=self.name, place="wall", message=str(len(self.hung) - 1))

    def update(self, reference: Reference, card: Card) -> None:
        self._answer(reference)
        self.hung[int(reference.message)].append(card.state)

    def say(self, reference: Reference, text: str) -> None:
        self._answer(reference)
        self.lines.append(text)

    def _answer(self, reference: Reference | None = None) -> None:
        self.calls += 1
        fault = self.fault()
        if fault is not None:
            raise fault
        if reference is not None and reference.message in self.taken_down:
            raise NotFoundError("the card was taken down")
