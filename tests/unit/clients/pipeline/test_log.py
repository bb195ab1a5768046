"""A log is GitHub's format, bounded, masked and readable whatever a step prints."""

import re
from datetime import UTC, datetime
from io import BytesIO

import pytest

from tasks.clients.pipeline.log import MAX_LINE_BYTES, JobLog, StepOutput
from tests.unit.clients.pipeline.conftest import Bench


class Kept(BytesIO):
    """A stream whose content outlives its closing."""

    def close(self) -> None:
        self.closed_with = self.getvalue()
        super().close()


def written(*chunks: bytes, masks: tuple[str, ...] = (), max_bytes: int = 2**20, commands: bool = True) -> list[str]:
    stream = Kept()
    with JobLog(stream, lambda: datetime(2026, 5, 4, 3, 2, 1, 7, tzinfo=UTC), max_bytes=max_bytes) as log:
        for mask in masks:
            log.mask(mask)
        output = StepOutput(log, commands=commands)
        for chunk in chunks:
            output.feed(chunk)
        output.finish()
    text = stream.closed_with.decode("utf-8-sig")
    return [line.removeprefix("2026-05-04T03:02:01.0000070Z ") for line in text.split("\n")[:-1]]


def test_secret_across_a_chunk_or_a_cut_line_is_never_shown() -> None:
    assert written(b"the sec", b"ret-value\n", masks=("secret-value",)) == ["the ***"]
    long = b"x" * (MAX_LINE_BYTES - 4) + b"secret-value" + b"y" * 10
    (line,) = written(long + b"\n", masks=("secret-value",))
    assert "secr" not in line
    assert re.search(r"\[\d+ bytes more in this line\]$", line)


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"one\r\ntwo\n", ["one", "two"]),
        (b"10%\r50%\r100%\n", ["10%", "50%", "100%"]),
        (b"no end", ["no end"]),
        (b"nul\0 and \xff\xfe\n", ["nul\ufffd and \ufffd\ufffd"]),
        (b"\n\n", ["", ""]),
    ],
)
def test_lines_are_split_and_made_readable(raw: bytes, lines: list[str]) -> None:
    assert written(raw) == lines
    assert written(*(raw[at : at + 1] for at in range(len(raw)))) == lines


def test_workflow_commands_are_carried_out() -> None:
    assert written(b"::error file=a.py,line=1::it%0Abroke\n") == ["##[error]it", "broke"]
    assert written(b"::group::Tests\n::endgroup::\n") == ["##[group]Tests", "##[endgroup]"]
    assert written(b"::add-mask::hush\nhush now\n") == ["::add-mask::***", "*** now"]
    assert written(b"::debug::no\n") == []


def test_stopped_commands_are_text_until_the_token() -> None:
    raw = b"::stop-commands::tok\n::error::not one\n::tok::\n::error::one\n"
    assert written(raw) == ["::stop-commands::tok", "::error::not one", "##[error]one"]


def test_disabled_commands_set_nothing() -> None:
    lines = written(b"::set-env name=PATH::/evil\n")
    assert any("disabled, as on GitHub" in line for line in lines)


def test_wrapped_command_is_only_text() -> None:
    assert written(b"::error::text\n", commands=False) == ["::error::text"]


def test_full_log_keeps_the_end_and_says_what_is_left_out() -> None:
    lines = written(*(b"line %d\n" % number for number in range(5_000)), max_bytes=1_000)
    assert lines[-1] == "line 4999"
    said = next(line for line in lines if "The log is full" in line)
    assert re.search(r"The log is full: \d+ lines are left out before the last 500", said)
    assert len(lines) < 700


def test_log_has_githubs_format(bench: Bench) -> None:
    bench.steps("- run: echo hello")
    raw = (bench.store._root / bench.last.run_id / bench.last.jobs[0].log_ref).read_bytes()  # type: ignore[union-attr]
    assert raw.startswith(b"\xef\xbb\xbf20")
    lines = raw.decode("utf-8-sig").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ", line) for line in lines)
    assert any(line.endswith("##[group]Run echo hello") for line in lines)


def test_lines_arrive_while_the_step_runs(bench: Bench) -> None:
    bench.steps("- run: echo first; echo second")
    assert [line for line in bench.lines if line in ("first", "second")] == ["first", "second"]
