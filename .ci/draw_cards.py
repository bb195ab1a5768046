"""Draws the cards of a home's questions as Slack shows them: `python .ci/draw_cards.py HOME FOLDER` (`make pictures`).

Each question is drawn as it was asked and as it stands, with its forms. Needs Chromium, which runs without a network.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from card_html import form_html, message_html, page

from deployments.notifying import read_card
from deployments.slack.blocks import card_blocks
from deployments.slack.forms import edit_form, reject_form
from deployments.slack.pressing import ticket_of
from tasks.clients.ledger import Ledger
from tasks.domain.card import Card, CardState
from tasks.settings import Settings

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it may run as root, and opens nothing but the files made here
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1.5",
)
MEASURE = "<script>document.documentElement.id = 'h' + Math.ceil(document.body.getBoundingClientRect().height)</script>"


def main(home: Path, folder: Path) -> int:
    """Draw everything; 1 where there is nothing to draw."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed (Debian: chromium)")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = 0
    for name, document in pictures(home):
        draw(chromium, document, folder / f"{name}.png")
        drawn += 1
    sys.stdout.write(f"{drawn} pictures in {folder}\n")
    return 0 if drawn else 1


def pictures(home: Path) -> list[tuple[str, str]]:
    """The name and the document of each picture, oldest incident first."""
    settings = Settings(home=home)
    ledger = Ledger.open(settings.ledger_url)
    found: list[tuple[str, str]] = []
    incidents = reversed(ledger.incidents.newest(limit=50))
    requests = [one.request for stored in incidents for one in ledger.approvals.of_incident(stored.incident.id)]
    for number, request in enumerate(requests, 1):
        card = read_card(ledger, request.id, settings=settings, now=datetime.now(UTC))
        asked = as_asked(card)
        found.append((f"slack-card-{number}", _message(asked, card.asked_at)))
        if card.state is not CardState.WAITING:
            found.append((f"slack-card-{number}-{card.state.replace('_', '-')}", _message(card, card.asked_at)))
        if number == 1:
            found.append(("slack-reject-form", page(form_html(reject_form(ticket_of(asked))))))
            if asked.editable:
                found.append(("slack-edit-form", page(form_html(edit_form(ticket_of(asked), asked)))))
    return found


def as_asked(card: Card) -> Card:
    """The card as it stood when nobody had answered."""
    return card.model_copy(update={"state": CardState.WAITING, "answer": None, "outcome": "", "progress": ()})


def _message(card: Card, at: datetime) -> str:
    return page(message_html(card_blocks(card), at=f"{at:%H:%M}"))


def draw(chromium: str, document: str, target: Path) -> None:
    """A PNG of the document, as high as it is."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "card.html"
        source.write_text(document.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
        start = [chromium, *FLAGS, f"--user-data-dir={scratch}/profile"]
        width = 560 if 'class="modal"' in document else 780
        measured = _run([*start, f"--window-size={width},900", "--dump-dom", source.as_uri()])
        height = re.search(r'<html[^>]* id="h(\d+)"', measured)
        if height is None:
            raise SystemExit(f"chromium did not render {target.name}")
        size = f"--window-size={width},{int(height[1]) + (40 if width == 560 else 0)}"
        _run([*start, size, f"--screenshot={target}", source.as_uri()])


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
