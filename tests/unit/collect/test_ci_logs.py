"""Scanning logs: what must not be said first, then what is found, and that secrets never come out."""

import io
import random

import pytest

from tasks.collect.ci_logs import LogScan, number_evidence, scan_log
from tasks.collect.redact import redact
from tasks.diagnose import signatures

TIME = "2026-01-02T03:04:05.1234567Z "


def scan(text: str | bytes) -> LogScan:
    raw = text if isinstance(text, bytes) else text.encode()
    return scan_log(io.BytesIO(raw), source="log:test", signatures=signatures())


@pytest.mark.parametrize(
    "log",
    [
        "collected 3 items\n3 passed, 0 failed in 0.1s\nFinished: SUCCESS\n",
        "test error_handling ... ok\nTests run: 12, Failures: 0, Errors: 0, Skipped: 0\nJob succeeded\n",
    ],
)
def test_passing_log_yields_nothing(log: str) -> None:
    result = scan(log)
    assert result.passed
    assert result.lines == ()


def test_wrapper_line_is_never_a_cause() -> None:
    result = scan(f"{TIME}hello\n{TIME}##[error]Process completed with exit code 3.\n")
    assert [line.signature for line in result.lines] == [None, None]
    assert result.exit_code == 3


def test_timestamps_and_colours_are_stripped_and_lines_numbered() -> None:
    log = f"\ufeff{TIME}##[group]Run pytest\n{TIME}ok\n{TIME}\x1b[31mFAILED tests/test_a.py::test_b - assert 1\x1b[0m\n"
    (found,) = [line for line in scan(log).lines if line.signature]
    assert found.text == "FAILED tests/test_a.py::test_b - assert 1"
    assert (found.line_number, found.step) == (3, "pytest")


def test_repeated_line_is_quoted_once_and_counted() -> None:
    lines = "".join(f"{TIME}error: connection refused to port {number}\n" for number in range(500))
    found = [line for line in scan(lines).lines if line.signature]
    assert [line.repeated for line in found] == [500]


def test_cut_log_is_said_to_be_cut() -> None:
    assert scan("The job's log exceeded limit of 4194304 bytes.\nno more output will be collected\n").truncated


def test_line_numbers_survive_block_borders() -> None:
    filler = f"{TIME}{'x' * 200}\n" * 12_000
    (found,) = [line for line in scan(filler + f"{TIME}fatal: No space left on device\n").lines if line.signature]
    assert found.line_number == 12_001


def test_any_bytes_are_read_without_a_crash_and_bounded() -> None:
    noise = random.Random(7)
    for _ in range(20):
        result = scan(noise.randbytes(noise.randrange(200_000)))
        assert len(result.lines) <= 60
    assert len(scan(b"y" * 5_000_000).lines) <= 60


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "AKIA" + "ABCDEFGH12345678",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
        "xoxb-123456789012-abcdefghij",
        "npm_" + "x" * 36,
    ],
)
def test_secret_never_reaches_a_quoted_line(secret: str) -> None:
    result = scan(f"{TIME}FAILED tests/test_a.py::test_b - got {secret}\n")
    assert secret not in result.model_dump_json()
    assert "[REDACTED]" in result.lines[0].text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgres://ada:hunter22@db/x", "postgres://ada:[REDACTED]@db/x"),
        ("password=hunter22", "password=[REDACTED]"),
        ("Authorization: Bearer abcdef1234567890", "Authorization: Bearer [REDACTED]"),
        ("token is missing", "token is missing"),
        ("API_KEY: required", "API_KEY: required"),
    ],
)
def test_redaction_masks_values_and_keeps_words(text: str, kept: str) -> None:
    assert redact(text) == kept
    assert redact(kept) == kept


def test_evidence_ids_run_over_all_sources() -> None:
    one = scan("No space left on device\n")
    two = scan("FAILED tests/test_a.py::test_b - assert\n")
    assert [line.id for line in number_evidence([one, two])] == ["E1", "E2"]
