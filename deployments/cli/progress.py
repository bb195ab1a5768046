"""One line of progress on standard error, for what takes over two seconds, and only on a terminal."""

import time
from types import TracebackType
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.markup import escape
from rich.status import Status

QUIET_SECONDS = 2.0
_SPINNER_CELLS = 3


def one_line(text: str, console: Console) -> str:
    """The text as markup, cut to one line beside a spinner: a longer one is drawn anew beneath itself."""
    room, told = console.width - _SPINNER_CELLS, " ".join(text.split())
    return escape(told if cell_len(told) <= room else f"{set_cell_size(told, room - 1).rstrip()}…")


class Progress:
    """Hears how far a piece of work has come; shows it from two seconds on, and takes the line away at the end."""

    def __init__(self, title: str) -> None:
        self._title, self._started = title, time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()

    def pause(self) -> None:
        """Take the line away until there is more to tell, for a question."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def tell(self, what: str) -> None:
        """Say how far it has come."""
        if not self._console.is_terminal or time.monotonic() - self._started < QUIET_SECONDS:
            return
        text = one_line(f"{self._title}: {what}", self._console)
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        self._status.update(text)
