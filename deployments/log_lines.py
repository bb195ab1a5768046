"""One message is one line of the log, whatever outside text stands in it: no line of it can look like another, and none
moves the cursor of the terminal that shows it.
"""

import logging
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogLines(logging.Formatter):
    """Writes out what cannot be seen; a traceback keeps its lines."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- as the class above names it
        """The line without its traceback."""
        return seen(super().formatMessage(record))

    def formatException(  # noqa: N802 -- as the class above names it
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """The traceback, each line of it set in, so that none passes for a message."""
        return "\n".join(f"  {seen(line)}" for line in super().formatException(ei).split("\n"))


def seen(text: str) -> str:
    """The text with whatever cannot be printed written out, as in `\\x1b`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Let everything that is logged in this process go there, line by line."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLines())
    logging.basicConfig(level=level, handlers=[handler])
