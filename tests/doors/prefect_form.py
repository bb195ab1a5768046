"""The form that *Resume* opens in Prefect's own UI, as a person fills it in."""

import time

from tests.doors.browsing import Browser

FORM = ".p-modal__card"
_ERROR = ".p-toast__icon--error"
SECONDS = 120.0
"""How long anything of it may take on a loaded machine; a second or two on an idle one."""


class ResumeForm:
    """The form of one suspended run, opened on the run's page."""

    def __init__(self, browser: Browser, prefect_url: str, flow_run_id: str) -> None:
        self._browser = browser
        browser.open(f"{prefect_url}/runs/flow-run/{flow_run_id}")
        browser.click_text("button", "Resume", seconds=SECONDS)
        browser.wait_for(f"{FORM} textarea", seconds=SECONDS)
        self._until_still()

    @property
    def text(self) -> str:
        """All that it says."""
        return self._browser.text(FORM)

    def press(self) -> None:
        """Press *Submit*, and no more."""
        self._browser.click_text(f"{FORM} button", "Submit", seconds=SECONDS)

    def send(self, answer: str, *, reason: str = "", approver: str = "") -> None:
        """Fill it in and send it; where the server is too busy to take it, which the page then says, again."""
        self._browser.click(f"{FORM} option[value={answer}]")
        for number, text in enumerate((reason, approver)):
            self._browser.type(f"{FORM} textarea", text, number=number)
        for _ in range(5):
            self.press()
            if self._is_taken():
                return
        raise AssertionError(f"the form is not taken: {self._browser.text()[:500]}")

    def _is_taken(self) -> bool:
        """Whether the form goes away; false once the page says that it did not work."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if not self._browser.find(FORM):
                return True
            if self._browser.find(_ERROR):
                self._browser.click_away(".p-toast__close-btn")
                return False
            time.sleep(0.05)
        raise AssertionError(f"the form stays: {self._browser.text()[:500]}")

    def _until_still(self) -> None:
        """Until it has slid in: what moves is missed by a click."""
        before, deadline = {"y": -1.0}, time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            now = self._browser.place(FORM)
            if now == before:
                return
            before = now
            time.sleep(0.2)
        raise AssertionError("the form does not come to rest")
