"""Of a log of any length its end is kept, and each kind of complaint with its count, told by form and not by words."""

import pytest

from tasks.domain.log_digest import digest_log, kind_of, message_of

CALM = '{"level": "INFO", "status": 200, "message": "no errors found, failed count 0", "id": "req-%d"}'


def test_one_complaint_among_many_lines_is_found_with_its_place() -> None:
    lines = [CALM % number for number in range(50_000)]
    lines[31_000] = '{"level": "ERROR", "status": 500, "message": "pool exhausted", "id": "req-7"}'
    digest = digest_log(lines, keep=10)
    assert [(row.line_number, row.count) for row in digest.complaints] == [(31_001, 1)]
    assert (digest.line_count, len(digest.tail), digest.first_line_number) == (50_000, 10, 49_991)


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 10:00:00 ERROR cannot place order 17",
        'level=error ts=2026-01-01T10:00:00Z msg="cannot place order"',
        '{"severity":"error","message":"cannot place order"}',
        "E0101 10:00:00.123456       1 reflector.go:147] Failed to watch",
        '10.0.0.1 - - [01/Jan/2026:10:00:00 +0000] "POST /cart HTTP/1.1" 503 12 "-" "curl"',
        '{"status": 500, "path": "/cart"}',
        "2026/01/01 10:00:00 [crit] 7#7: cannot open",
    ],
)
def test_complaints_are_told_by_their_form(line: str) -> None:
    assert len(digest_log([line], keep=1).complaints) == 1


@pytest.mark.parametrize(
    "line",
    [
        "INFO retried after an error, all is well",
        'level=info msg="0 errors, 0 failed"',
        '"GET /errors/500 HTTP/1.1" 200 500',
        "Every request took 503 ms",
        "",
    ],
)
def test_words_of_trouble_alone_are_no_complaint(line: str) -> None:
    assert digest_log([line], keep=1).complaints == ()


def test_lines_that_differ_in_numbers_and_times_are_one_kind() -> None:
    lines = [f"2026-01-01 10:00:{second:02d} ERROR order {second} of user-{second} failed" for second in range(40)]
    (row,) = digest_log(lines, keep=5).complaints
    assert (row.count, row.line_number, row.last_line_number) == (40, 1, 40)
    assert (row.since, row.until) == ("2026-01-01 10:00:00", "2026-01-01 10:00:39")


def test_requests_are_one_kind_by_path_and_status_whatever_they_say() -> None:
    said = ("Service timeout", "Gateway timeout", "overloaded")
    kinds = {kind_of(f'[ERROR] "POST /api/reports HTTP/1.1" 503 30001ms - {text}') for text in said}
    assert kinds == {"POST /api/reports 503"}


def test_kinds_are_bounded() -> None:
    lines = [f"ERROR {'a' * (number % 300)}b" for number in range(2_000)]
    assert len(digest_log(lines, keep=1).complaints) == 200


def test_pace_compares_the_beginning_with_the_end() -> None:
    lines = [f'{{"response_time_ms": {100 if number < 900 else 5000}}}' for number in range(1_000)]
    pace = digest_log(lines, keep=1).pace
    assert pace is not None
    assert (pace.before_ms, pace.after_ms) == (100.0, 5000.0)


def test_few_times_tell_no_pace() -> None:
    assert digest_log(["took 5 ms"] * 10, keep=1).pace is None


def test_seconds_count_as_milliseconds() -> None:
    pace = digest_log(["request took 2.5s"] * 30, keep=1).pace
    assert pace is not None
    assert pace.after_ms == 2500.0


def test_message_of_a_line_leaves_out_what_stands_around_it() -> None:
    line = '{"level": "ERROR", "message": "Job failed", "error": "ConnectionError: no answer", "id": 3}'
    assert message_of(line) == "Job failed: ConnectionError: no answer"
