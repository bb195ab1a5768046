"""What a card says in words, whichever channel shows it: each state, who decided, and who may answer. Plain text.

Channels escape it and decide on what stands out; none has words of its own.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tasks.domain.approval import ApprovalChannel, ApprovalTerms
from tasks.domain.card import Card, CardAnswer, CardState


class Tone(StrEnum):
    """How a state is coloured, where there is colour."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


class Wording(NamedTuple):
    """One state in words."""

    heading: str
    tone: Tone
    meaning: str = ""
    """A sentence for what the heading and the outcome do not say; empty when nothing is left to say."""


WORDINGS: Mapping[CardState, Wording] = MappingProxyType(
    {
        CardState.WAITING: Wording("Approval wanted", Tone.WARN),
        CardState.SNOOZED: Wording("Approval wanted", Tone.WARN, "Nobody is reminded meanwhile; the deadline stays."),
        CardState.APPROVED: Wording("Approved", Tone.GOOD),
        CardState.REJECTED: Wording("Rejected", Tone.BAD),
        CardState.EDITED: Wording("Planned anew", Tone.WARN, "Another question asks about the plan with other values."),
        CardState.EXPIRED: Wording(
            "Expired", Tone.BAD, "Nobody answered in time, and silence is no: nothing was done."
        ),
        CardState.VOID: Wording("Void", Tone.BAD, "The heal has moved on: nothing is done any more."),
        CardState.HEALED: Wording("Healed", Tone.GOOD),
        CardState.NOT_HEALED: Wording("Not healed", Tone.BAD),
        CardState.UNDONE: Wording("Undone", Tone.WARN),
    }
)


def heading_of(card: Card) -> str:
    """The state and what is asked, in one line."""
    return f"{WORDINGS[card.state].heading}: {card.title}"


def deciders(answer: CardAnswer) -> str:
    """Who decided: whoever answered last, and who said yes before."""
    return " together with ".join((answer.by, ", ".join(answer.together_with))) if answer.together_with else answer.by


def place_of(answer: CardAnswer) -> str:
    """Through which channel, and whether anybody vouches for the name."""
    unsure = "" if answer.verified else ", as a typed name that nobody vouches for"
    return f"{_PLACES[ApprovalChannel(answer.channel)]}{unsure}"


_PLACES: Mapping[ApprovalChannel, str] = MappingProxyType(
    {
        ApprovalChannel.COMMAND_LINE: "on the command line",
        ApprovalChannel.PAGE: "on the approval page",
        ApprovalChannel.PREFECT_UI: "in Prefect",
        ApprovalChannel.SLACK: "in Slack",
        ApprovalChannel.GITHUB: "on GitHub",
        ApprovalChannel.DEADLINE: "at the deadline",
    }
)


def who_may_answer(
    terms: ApprovalTerms, said_yes: Sequence[str] = (), *, anybody: str = "anybody whom it reaches"
) -> str:
    """The terms, and who said yes so far, in one line; `anybody` is what the channel calls everybody."""
    told = [", ".join(terms.approvers) or anybody]
    if terms.people_needed > 1:
        told.append(f"{terms.people_needed} different people have to say yes")
    if not terms.author_may_approve:
        told.append("not an author of the change")
    if not terms.takes_typed_names:
        told.append("a typed name does not count")
    if not terms.link_counts:
        told.append("a yes through a link does not count")
    if said_yes:
        told.append(f"said yes so far: {', '.join(said_yes)}")
    return "; ".join(told)
