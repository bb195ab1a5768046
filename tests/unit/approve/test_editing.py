"""Other values for a plan: they become part of code, so that what ends a string or names another source is refused."""

import pytest

from tasks.approve import check_edit
from tasks.errors import BadInputError

KNOWN = {"1.requirement": "requests", "1.until": "2026-01-16", "1.owner": "grace"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("1.owner", '"); import os; os.system("id") #'),
        ("1.owner", "x\\"),
        ("1.owner", "`id`"),
        ("1.owner", "$(id)"),
        ("1.owner", "gr\u202eace"),
        ("1.until", "2026-02-16"),
        ("1.until", "9999-12-31"),
        ("1.until", "20260120"),
        ("1.until", "2026-01-20: flaky"),
        ("1.until", "never"),
        ("1.requirement", "evil"),
        ("1.requirement", "requests @ https://evil.example/requests.whl"),
        ("1.requirement", "requests --index-url https://evil.example"),
        ("1.requirement", "requests==2.0; os_name == 'posix'"),
        ("1.requirement", 'requests", "evil'),
        ("1.requirement", "-r /etc/passwd"),
        ("1.requirement", "requests \\"),
        ("1.file", "setup.py"),
    ],
)
def test_value_that_would_do_something_else_is_refused(key: str, value: str) -> None:
    with pytest.raises(BadInputError):
        check_edit(KNOWN, key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("1.owner", "@acme/platform-team"),
        ("1.owner", "ada+ci@example.com"),
        ("1.owner", "Zoë Müller"),
        ("1.until", "2026-01-10"),
        ("1.until", "2026-02-15"),
        ("1.requirement", "Requests[socks]>=2.31,<3"),
        ("1.requirement", "requests==2.31.0  # asked for"),
    ],
)
def test_value_that_its_name_asks_for_is_taken(key: str, value: str) -> None:
    check_edit(KNOWN, key, value)


def test_value_that_stays_is_taken_whatever_it_is() -> None:
    check_edit({"1.owner": "Ada O'Neil"}, "1.owner", "Ada O'Neil")
