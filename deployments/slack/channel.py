"""Slack as a channel for cards: shown in one channel, renewed in place, with a thread for what happens."""

from deployments.notifying.channel import Reference
from deployments.slack.blocks import card_blocks, card_text
from deployments.slack.text import escaped, plain, rich, sentence, words
from tasks.clients.slack import Posted, SlackClient
from tasks.domain.card import Card
from tasks.errors import PermanentError
from tasks.settings import SlackSettings

NAME = "slack"


class SlackChannel:
    """Implements `Channel`."""

    name = NAME

    def __init__(self, settings: SlackSettings, client: SlackClient | None = None) -> None:
        if settings.channel is None:
            raise PermanentError("Slack is not set up: set HEALFLOW_SLACK__CHANNEL to the id of a channel")
        self._channel = settings.channel
        self._client = client or SlackClient(settings)

    def send(self, card: Card) -> Reference:
        """Show the card in the channel."""
        posted = self._client.post(self._channel, blocks=card_blocks(card), text=card_text(card))
        return Reference(channel=NAME, place=posted.channel, message=posted.timestamp)

    def update(self, reference: Reference, card: Card) -> None:
        """Put the card as it is now in the place of the old one."""
        self._client.update(_posted(reference), blocks=card_blocks(card), text=card_text(card))

    def say(self, reference: Reference, text: str) -> None:
        """Add a line to the card's thread."""
        blocks = [rich(sentence(words(plain(text))))]
        self._client.post(reference.place, blocks=blocks, text=escaped(text, 600), thread=reference.message)


def _posted(reference: Reference) -> Posted:
    return Posted(channel=reference.place, timestamp=reference.message)
