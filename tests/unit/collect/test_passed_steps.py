"""What a step said that passed is no cause; the failing step and its surroundings are quoted."""

import io

import pytest

from tasks.collect.ci_logs import scan_log
from tasks.diagnose import signatures

TRAVIS_FAILED = 'The command "./check" exited with 1.\n'
TRAVIS_PASSED = 'The command "./fetch" exited with 0.\n'
TESTS = "FAILED tests/test_shop.py::test_price - assert 1 == 2\n"
NOISE = "curl: (22) The requested URL returned error: 404 Not Found\n"


def rules(log: str) -> list[str]:
    scan = scan_log(io.BytesIO(log.encode()), source="log", signatures=signatures())
    return [line.signature for line in scan.lines if line.signature]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (NOISE + TRAVIS_PASSED + TESTS + TRAVIS_FAILED, ["test.pytest"]),
        (TESTS + TRAVIS_FAILED + NOISE + TRAVIS_PASSED, ["test.pytest"]),
        (NOISE + TRAVIS_PASSED, []),
        (
            f"##[group]Run a\n{NOISE}##[group]Run b\n{TESTS}##[error]Process completed with exit code 1.\n",
            ["test.pytest"],
        ),
        (
            f"##[group]Run a\n{TESTS}##[error]Process completed with exit code 1.\n##[group]Run b\ncleaning\n",
            ["test.pytest"],
        ),
    ],
    ids=["before", "after", "nothing else", "step before", "step after"],
)
def test_lines_of_passed_steps_are_no_cause(log: str, expected: list[str]) -> None:
    assert rules(log) == expected


def test_failing_command_and_the_lines_before_it_are_quoted_with_their_numbers() -> None:
    log = "one\ntwo\n" + TRAVIS_FAILED
    scan = scan_log(io.BytesIO(log.encode()), source="log", signatures=signatures())
    assert [(line.line_number, line.text) for line in scan.lines] == [
        (1, "one"),
        (2, "two"),
        (3, TRAVIS_FAILED.strip()),
    ]


def test_last_words_of_a_job_on_github_that_never_says_that_it_failed_are_kept() -> None:
    log = (
        b"##[group]Run ./container-action\n##[endgroup]\nError: probing a cache that is not there\n"
        + b"working\n" * 40
        + b"fatal: unsafe repository ('/github/workspace' is owned by someone else)\nPost job cleanup.\n"
        b"Cleaning up orphan processes\n"
    )
    scan = scan_log(io.BytesIO(log), source="log:a", signatures=signatures())
    assert not scan.passed
    assert [line.text for line in scan.lines if line.signature] == [
        "fatal: unsafe repository ('/github/workspace' is owned by someone else)"
    ]


def test_job_on_github_whose_steps_never_failed_has_passed() -> None:
    log = b"##[group]Run pytest\n##[endgroup]\nERROR: connection refused, as the test wants\nPost job cleanup.\n"
    scan = scan_log(io.BytesIO(log), source="log:a", signatures=signatures())
    assert scan.passed
    assert [line for line in scan.lines if line.signature] == []
