"""Draws what people are shown outside of Slack: the form of Prefect's UI and the approval page, of a heal that waits.

`python .ci/draw_forms.py FOLDER` (`make pictures`) starts everything on loopback with a home of its own, breaks the
repository of the demo, and looks at the question with Chromium.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from deployments.cli.pipeline import report_failure
from deployments.demo.project import WORKFLOW, DemoRepository
from deployments.home import Home
from deployments.local import Running, running
from flows.pipeline import run_in_worktree
from tasks.approve import sign_link
from tasks.clients.ledger import Ledger
from tasks.domain.approval import ApprovalLink, ApprovalRequest, Person
from tasks.settings import ApprovalSettings, Settings
from tests.doors.browsing import Browser
from tests.doors.prefect_form import FORM, ResumeForm

SECONDS = 180.0
"""How long the question may take to wait in Prefect."""
SCALE = 1.0
GRACE = Person(name="grace", email="grace@example.com")


def main(folder: Path) -> int:
    """Draw both."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, waiting(Path(scratch)) as (services, settings, request):
        _draw_form(services, request, Path(scratch), folder / "prefect-form.png")
        _draw_page(services, settings, request, Path(scratch), folder / "approval-page.png")
    sys.stdout.write(f"2 pictures in {folder}\n")
    return 0


@contextmanager
def waiting(scratch: Path) -> Iterator[tuple[Running, Settings, ApprovalRequest]]:
    """A heal whose run is suspended in Prefect, and what it asks."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    people = ApprovalSettings(people=(GRACE,), channels=("log",))
    settings = Settings(home=scratch / "home", gateway_port=0, prefect_port=0, approvals=people)
    repository = DemoRepository(scratch / "shop")
    with running(settings, console=Console(highlight=False)) as services:
        repository.create()
        repository.misformat_a_file()
        outcome = run_in_worktree(settings, repository.root, WORKFLOW, ref="main")
        report_failure(settings, outcome.run_id, gateway_url=services.gateway_url)
        yield services, settings, _question(settings, services)


def _question(settings: Settings, services: Running) -> ApprovalRequest:
    ledger, deadline = Ledger.open(settings.ledger_url), time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for asked in ledger.approvals.unanswered():
            run = httpx.get(f"{services.prefect_url}/api/flow_runs/{asked.request.flow_run_id}").json()
            if run["state_type"] == "PAUSED":
                return asked.request
        time.sleep(0.2)
    raise SystemExit("no heal came to wait for an answer")


def _draw_form(services: Running, request: ApprovalRequest, scratch: Path, target: Path) -> None:
    """What comes up over the page of the run on Resume."""
    browser = Browser(scratch, scripts=True, width=1280, height=1500, scale=SCALE)
    try:
        ResumeForm(browser, services.prefect_url, request.flow_run_id)
        browser.shoot(target, FORM, in_view=True)
    finally:
        browser.close()


def _draw_page(services: Running, settings: Settings, request: ApprovalRequest, scratch: Path, target: Path) -> None:
    """The page as Grace sees it whom the link was mailed to."""
    link = ApprovalLink(request_id=request.id, nonce=request.nonce, person=GRACE.name, made_by=f"email:{GRACE.email}")
    browser = Browser(scratch, width=900, height=900, scale=SCALE)
    try:
        browser.open(f"{services.gateway_url}/approve/{sign_link(link, Home(settings).link_key())}")
        browser.shoot(target)
    finally:
        browser.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
