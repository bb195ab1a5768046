"""The chapter of the demo that is answered in Slack: a workspace on loopback, and Grace, who presses a button in it."""

from rich.console import Console
from rich.markup import escape

from deployments.demo.slack import SlackServer
from deployments.demo.slack.workspace import Form, Message
from deployments.slack.pressing import Press
from tasks.domain.approval import Person
from tasks.errors import PermanentError
from tasks.settings import ApprovalSettings

GRACE = Person(name="grace", slack="U0GRACE")
PEOPLE = ApprovalSettings(people=(GRACE,))
CARD_SECONDS = 60.0
RENEW_SECONDS = 15.0


class SlackStage:
    """What is seen of the workspace, and what Grace does there."""

    def __init__(self, server: SlackServer, console: Console) -> None:
        self._server, self._console = server, console

    def answer(self, incident_id: str, *, yes: bool) -> None:
        """Wait for the card of an incident, show what stands on it, and let Grace press.

        Raises:
            PermanentError: there is no card, or the app did not take the press.
        """
        card = self._card(incident_id)
        buttons = "  ".join(f"[reverse] {escape(text)} [/]" for text in card.button_texts)
        self._console.print(f"[bold magenta]Slack[/] #deploys: {escape(card.heading)}\n  {buttons}", soft_wrap=True)
        press = Press.APPROVE_AND_MERGE if yes else Press.REJECT
        self._console.print(f"  grace presses [bold]{'Approve and merge' if yes else 'Reject…'}[/]")
        answered = self._server.press(GRACE.slack, card.ts, press)
        if answered.status == 200 and not yes:
            answered = self._server.submit(self._form(), {"reason": "said no in the demo"})
        if answered.status != 200:
            raise PermanentError(f"the gateway answered {answered.status} to Slack: {answered.body}")

    def tell_end(self, incident_id: str) -> None:
        """Show what stands on the card now, once it was renewed."""
        workspace, card = self._server.workspace, self._card(incident_id)
        asked = "Approval wanted"
        workspace.wait_until(lambda: not card.heading.startswith((asked, "Approved")), seconds=RENEW_SECONDS)
        self._console.print(f"[bold magenta]Slack[/] #deploys: {escape(card.heading)}", soft_wrap=True)
        for text in card.texts[:2]:
            self._console.print(f"  {escape(text)}", soft_wrap=True)

    def _card(self, incident_id: str) -> Message:
        found: list[Message] = []

        def sent() -> bool:
            found.extend(card for card in self._server.workspace.cards if incident_id in " ".join(card.texts))
            return bool(found)

        if not self._server.workspace.wait_until(sent, seconds=CARD_SECONDS):
            raise PermanentError(f"no card of {incident_id} came to Slack; the gateway's log is in the demo's home")
        return found[0]

    def _form(self) -> Form:
        workspace = self._server.workspace
        if not workspace.wait_until(lambda: bool(workspace.forms), seconds=RENEW_SECONDS):
            raise PermanentError("no form was opened in Slack; the gateway's log is in the demo's home")
        return next(iter(workspace.forms.values()))
