"""What people do in a chat: press a button of a card, send a form, give a command. The chat vouches for them."""

from collections.abc import Mapping

from pydantic import Field

from tasks.domain.base import Noun


class ChatPerson(Noun):
    """An account that the chat itself verified."""

    id: str
    name: str = ""
    """Chosen by the person; for reading only, never for deciding."""
    teams: tuple[str, ...] = ()
    """The workspaces that the account is said to belong to and to act in, each once; empty when none is said."""


class ChatPress(Noun):
    """Somebody pressed a button."""

    action: str
    value: str
    """What the card put into the button: which question, which plan, and its nonce."""
    person: ChatPerson
    channel: str = ""
    message: str = ""
    """The timestamp that the chat knows the card's message by."""
    trigger: str = ""
    """What opening a form needs; good for three seconds."""
    response_url: str = ""


class ChatForm(Noun):
    """Somebody sent a form."""

    name: str
    metadata: str
    """What the form carried along, unseen."""
    values: Mapping[str, str] = Field(default_factory=dict)
    person: ChatPerson


class ChatCommand(Noun):
    """Somebody gave a command, such as `/healflow show inc-1`."""

    text: str
    person: ChatPerson
    channel: str = ""
    response_url: str = ""
