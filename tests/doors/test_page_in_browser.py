"""The approval page in headless Chromium with JavaScript off: read, answered, refused, and looked at on a phone.

SCREENSHOTS names a folder that keeps the pictures.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from tasks.domain.approval import Answer, Approval
from tests.doors.browsing import Browser, needs_chromium
from tests.doors.paging import Paged
from tests.doors.test_up import eventually

pytestmark = needs_chromium


@contextmanager
def served(asked: Paged) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(asked.app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert eventually(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(tmp_path)
    yield opened
    opened.close()


def keep(browser: Browser, folder: Path, name: str) -> None:
    wanted = Path(os.environ.get("SCREENSHOTS", folder))
    wanted.mkdir(parents=True, exist_ok=True)
    assert browser.shoot(wanted / f"{name}.png").stat().st_size > 10_000


def answer_of(asked: Paged) -> Approval | None:
    stored = asked.ledger.approvals.get(asked.request.id)
    return stored.answer if stored is not None else None


def test_this_browser_runs_no_script(browser: Browser) -> None:
    browser.open("data:text/html,<title>before</title><script>document.title='after'</script>")
    assert browser.title == "before"


def test_question_is_read_and_approved_without_a_script(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}")
        for told in (
            "test_total fails now and then",
            "Quarantined until 2026-01-16",
            "410 Gone",
            "grace",
            "from ada",
        ):
            assert told in browser.text()
        keep(browser, tmp_path, "page-waiting")
        browser.submit("button[value=approve]")
        assert "Approved" in browser.text("header")
        assert "Decided by grace, by a link from ada" in browser.text()
        assert browser.find("form") == []
        keep(browser, tmp_path, "page-approved")
    given = answer_of(asked)
    assert given is not None
    assert (given.answer, given.answered_by) == (Answer.APPROVE, "grace")


def test_what_a_button_does_stands_below_it(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}")
        for button, told in (
            ("approve_and_merge", "the other merges it, too"),
            ("snooze", "Reminds nobody for an hour"),
        ):
            form = f"form:has(button[value={button}])"
            assert told in browser.text(f"{form} p.soft")
            assert browser.place(f"{form} p.soft")["y"] > browser.place(f"button[value={button}]")["y"]


def test_no_without_a_reason_is_not_sent_and_with_one_is_recorded(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}")
        browser.click("button[value=reject]")
        assert browser.find("button[value=reject]"), "the browser itself asks for the reason"
        assert answer_of(asked) is None
        browser.type("#reason", "not before the release")
        browser.submit("button[value=reject]")
        assert "not before the release" in browser.text()
    given = answer_of(asked)
    assert given is not None
    assert (given.answer, given.reason) == (Answer.REJECT, "not before the release")


def test_parameters_are_edited_and_a_bad_value_is_told(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}")
        browser.click("section#answer summary")
        browser.submit("button[value=edit]")
        assert "change a value" in browser.text("[role=alert]").casefold()
        assert answer_of(asked) is None
        browser.type("#f1", "2026-01-10")
        browser.submit("button[value=edit]")
        assert "Planned anew" in browser.text("header")
    given = answer_of(asked)
    assert given is not None
    assert given.edits == {"1.until": "2026-01-10", "1.owner": "grace"}


def test_second_tab_is_told_who_was_first_and_nothing_changes(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}")
        assert asked.say(Answer.REJECT, "ada", reason="too late").settles
        browser.submit("button[value=approve]")
        assert "already answered: reject by ada" in browser.text()
        keep(browser, tmp_path, "page-refused")
    given = answer_of(asked)
    assert given is not None
    assert given.answer is Answer.REJECT


def test_altered_link_is_told_in_a_page_of_its_own(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}x")
        assert "This link is not good" in browser.text("h1")
        assert browser.find("form") == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_phone_shows_all_of_it_without_scrolling_sideways(tmp_path: Path, dark: bool) -> None:
    asked = Paged(tmp_path, people_needed=2)
    browser = Browser(tmp_path, dark=dark)
    try:
        with served(asked) as base:
            browser.devtools(
                "Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True
            )
            features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
            browser.devtools("Emulation.setEmulatedMedia", features=features)
            browser.open(f"{base}/approve/{asked.token()}")
            assert browser.devtools("Page.getLayoutMetrics")["cssContentSize"]["width"] <= 390
            keep(browser, tmp_path, f"page-phone-{'dark' if dark else 'light'}")
    finally:
        browser.close()


def test_every_field_and_button_has_a_name_that_a_screen_reader_says(browser: Browser, tmp_path: Path) -> None:
    asked = Paged(tmp_path)
    with served(asked) as base:
        browser.open(f"{base}/approve/{asked.token()}")
        nodes = browser.devtools("Accessibility.getFullAXTree")["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and node.get("role", {}).get("value") in ("textbox", "button", "heading", "link")
    }
    assert ("textbox", "Reason for a no") in named
    assert {("button", "Approve"), ("button", "Approve and merge"), ("button", "Reject")} <= named
    assert all(name for _, name in named)
    assert ("heading", "What would be done") in named
