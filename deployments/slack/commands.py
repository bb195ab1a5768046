"""`/healflow …`: what the command line offers, for people who are in Slack; only they see the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from deployments.notifying import read_card
from deployments.slack.blocks import card_blocks
from deployments.slack.text import Block, escaped
from tasks.approve import answer_question, attempt_at, find_question, refuse_answer
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, ApprovalChannel, Attempt, Identity, Refusal
from tasks.errors import HealflowError
from tasks.remember import read_story
from tasks.settings import Settings

MAX_LISTED = 10
FOREIGN = "people of other workspaces answer nothing here, and are told nothing"
USAGE = (
    "`/healflow incidents` lists the newest, `/healflow show ID` tells one whole, "
    "`/healflow approve ID` and `/healflow approve-and-merge ID` say yes, `/healflow reject ID REASON` says no. "
    "An answer takes the whole id, of the incident or of one question about it."
)


@dataclass(frozen=True)
class Told:
    """What somebody who gave a command is shown: `text` in Slack's markup, and blocks where there is a card."""

    text: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Asking:
    """Who gave a command, and what it works on."""

    settings: Settings
    ledger: Ledger
    identity: Identity
    now: datetime
    foreign: bool = False
    """Whether whoever asks is of another workspace."""


def run_command(text: str, asking: Asking) -> Told:
    """Carry out one command; what cannot be done is said, and nothing is done."""
    name, _, rest = text.strip().partition(" ")
    named, _, more = rest.strip().partition(" ")
    run = _COMMANDS.get(name.lower())
    if run is None:
        return Told(USAGE)
    if asking.foreign:
        return _refused(asking, run, named)
    if not named and run is not _incidents:
        return Told(f"Name an incident. {USAGE}")
    try:
        return run(asking, named, more.strip())
    except HealflowError as error:
        return Told(f"Nothing was done: {escaped(str(error))}")


def _refused(asking: Asking, command: Callable[[Asking, str, str], Told], named: str) -> Told:
    """Nothing for somebody of another workspace; an answer of theirs stands in the audit trail."""
    answer = next((one for one, run in _ANSWERS.items() if run is command), None)
    if answer is not None:
        attempt = Attempt(
            request_id=named[:80],
            plan_digest="",
            nonce="",
            answer=answer,
            identity=asking.identity,
            channel=ApprovalChannel.SLACK,
            at=asking.now,
        )
        refuse_answer(asking.ledger, attempt, Refusal.NOT_ALLOWED, FOREIGN)
    return Told(f"Nothing was done: {FOREIGN}.")


def _incidents(asking: Asking, _incident_id: str, _more: str) -> Told:
    newest = asking.ledger.incidents.newest(limit=MAX_LISTED)
    stories = [read_story(asking.ledger, stored.incident.id) for stored in newest]
    rows = [
        f"`{story.incident.id}` *{story.incident.status}* "
        + escaped(story.diagnosis.cause if story.diagnosis else story.incident.signal.title, 160)
        for story in stories
    ]
    return Told("\n".join(rows) or "No incidents yet.")


def _show(asking: Asking, incident_id: str, _more: str) -> Told:
    story = read_story(asking.ledger, incident_id)
    if story.request is not None:
        card = read_card(asking.ledger, story.request.id, settings=asking.settings, now=asking.now)
        return Told(escaped(f"{story.incident.id}: {card.title}", 600), tuple(card_blocks(card)))
    rows = [f"`{story.incident.id}` *{story.incident.status}* {escaped(story.incident.signal.title, 160)}"]
    rows += [f"{entry.at:%H:%M:%S} {escaped(entry.what, 200)}" for entry in story.timeline[-MAX_LISTED:]]
    return Told("\n".join(rows))


def _answering(answer: Answer) -> Callable[[Asking, str, str], Told]:
    def run(asking: Asking, named: str, reason: str) -> Told:
        if answer is Answer.REJECT and not reason:
            return Told("Say why: `/healflow reject ID REASON`. Nothing was done.")
        request = find_question(asking.ledger, named)
        attempt = attempt_at(
            request,
            answer=answer,
            identity=asking.identity,
            channel=ApprovalChannel.SLACK,
            reason=reason,
            now=asking.now,
        )
        judgement = answer_question(asking.ledger, attempt, people=asking.settings.approvals.people)
        if judgement.refusal is not None:
            return Told(f"Nothing was done: {escaped(judgement.message)}.")
        story = read_story(asking.ledger, request.incident_id)
        steps = "; ".join(action.summary for action in story.plan.actions) if story.plan else ""
        return Told(f"{escaped(judgement.message)}: {escaped(steps, 600)}")

    return run


_ANSWERS = {answer: _answering(answer) for answer in (Answer.APPROVE, Answer.APPROVE_AND_MERGE, Answer.REJECT)}
_COMMANDS: dict[str, Callable[[Asking, str, str], Told]] = {
    "incidents": _incidents,
    "show": _show,
    **{answer.replace("_", "-"): run for answer, run in _ANSWERS.items()},
}
