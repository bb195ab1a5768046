"""The log: outside text in it makes no line of its own, and nothing of a terminal's."""

import io
import logging

from deployments.log_lines import LogLines

FORGED = "build \x1b[2Jfailed\r\n2026-01-02 03:04:05 WARNING healflow.comments: ada: recorded\u2028\u202e\ud800"


def logged(*, with_error: bool) -> list[str]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogLines())
    record = logging.LogRecord("healflow.test", logging.WARNING, "", 0, "%s", (FORGED,), None)
    if with_error:
        try:
            raise ValueError(FORGED)
        except ValueError as error:
            record.exc_info = (type(error), error, error.__traceback__)
    handler.handle(record)
    return stream.getvalue().splitlines()


def test_outside_text_makes_no_line_of_its_own() -> None:
    (line,) = logged(with_error=False)
    assert line.isprintable()
    assert r"\x1b[2Jfailed\r\n2026" in line
    assert line.endswith(r"\u2028\u202e\ud800")


def test_no_line_of_a_traceback_passes_for_a_message() -> None:
    first, *others = logged(with_error=True)
    assert "WARNING healflow.test: " in first
    assert len(others) > 2
    assert all(line.startswith("  ") and line.isprintable() for line in others)
