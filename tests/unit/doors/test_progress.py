"""The line beside the spinner."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from deployments.cli.progress import one_line


def shown(text: str, *, width: int = 40) -> str:
    return Text.from_markup(one_line(text, Console(file=StringIO(), width=width))).plain


@pytest.mark.parametrize(
    "text", ["x" * 200, "数" * 200, "a\nb " * 60, "[/bold] " * 60], ids=["long", "wide", "lines", "[/"]
)
def test_long_text_is_cut_to_one_line_beside_the_spinner_and_says_so(text: str) -> None:
    line = shown(text)
    assert cell_len(line) <= 37
    assert line.endswith("…")
    assert "\n" not in line


def test_text_that_fits_is_whole_and_no_markup() -> None:
    assert shown("inc-1: add [bold] to\n requirements.txt", width=80) == "inc-1: add [bold] to requirements.txt"
