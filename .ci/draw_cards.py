"""Draws the cards of a home's questions as Slack shows them: `python .ci/draw_cards.py HOME FOLDER` (`make pictures`).

Each question is drawn as it was asked and as it stands, with its forms. Needs Chromium and its driver.
"""

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
from tests.doors.browsing import Browser

SCALE = 1.0
WIDTH = 760


def main(home: Path, folder: Path) -> int:
    """Draw everything; 1 where there is nothing to draw."""
    folder.mkdir(parents=True, exist_ok=True)
    found = pictures(home)
    with tempfile.TemporaryDirectory() as scratch:
        browser = Browser(Path(scratch), width=WIDTH, scale=SCALE)
        try:
            for name, document in found:
                source = Path(scratch) / "card.html"
                source.write_text(document, encoding="utf-8")
                browser.open(source.as_uri())
                browser.shoot(folder / f"{name}.png", ".drawn")
        finally:
            browser.close()
    sys.stdout.write(f"{len(found)} pictures in {folder}\n")
    return 0 if found else 1


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


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
