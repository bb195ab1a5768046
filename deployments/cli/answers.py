"""`healflow approve`, `reject` and `undo`: answers of the local user, whose name the operating system vouches for."""

import os
import pwd
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from tasks.approve import answer_newest, answer_question, attempt_at, check_edit, editable, identify
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind
from tasks.domain.outcome import ActionStatus
from tasks.errors import ConflictError
from tasks.remember import read_story
from tasks.settings import Settings


def local_user() -> str:
    """The login name of whoever runs this process, from the user database and not from the environment."""
    return pwd.getpwuid(os.getuid()).pw_name


def answer(settings: Settings, incident_id: str, given: Answer, *, reason: str) -> None:
    """Record the answer; the dispatcher of `healflow up` wakes the waiting run.

    Raises:
        NotFoundError: there is no such incident.
        ConflictError: it waits for no answer, or this one does not count; the message says why.
    """
    ledger = Ledger.open(settings.ledger_url)
    judgement = answer_newest(
        ledger,
        incident_id,
        answer=given,
        identity=identify(IdentityKind.LOCAL, local_user(), settings.approvals.people),
        channel=ApprovalChannel.COMMAND_LINE,
        people=settings.approvals.people,
        now=datetime.now(UTC),
        reason=reason,
    )
    if judgement.refusal is not None:
        raise ConflictError(judgement.message)
    Console().print(f"{escape(judgement.message)}, by {escape(local_user())}.")
    _say_whether_somebody_listens(settings)


def edit(settings: Settings, incident_id: str, given: Sequence[str]) -> None:
    """Ask for the plan with other values; it passes the gate and is asked about again.

    Raises:
        BadInputError: a value cannot be changed, or is malformed.
        ConflictError: the incident waits for no answer, or this one does not count.
    """
    ledger, now = Ledger.open(settings.ledger_url), datetime.now(UTC)
    story = read_story(ledger, incident_id)
    if story.request is None or story.plan is None:
        raise ConflictError(f"{story.incident.id} waits for no answer: it is {story.incident.status}")
    edits = {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in given)}
    known = editable(story.plan)
    for key, value in edits.items():
        check_edit(known, key, value)
    people = settings.approvals.people
    attempt = attempt_at(
        story.request,
        answer=Answer.EDIT,
        identity=identify(IdentityKind.LOCAL, local_user(), people),
        channel=ApprovalChannel.COMMAND_LINE,
        reason="",
        now=now,
        edits=edits,
    )
    judgement = answer_question(ledger, attempt, people=people)
    if judgement.refusal is not None:
        raise ConflictError(judgement.message)
    Console().print(f"{story.incident.id}: planned anew with your values; it is asked about again.")
    _say_whether_somebody_listens(settings)


def _say_whether_somebody_listens(settings: Settings) -> None:
    from deployments.home import Home

    if Home(settings).holder() is None:
        Console().print(
            "'healflow up' is not running on this home; the heal goes on when it is started.", style="yellow"
        )


def take_back(settings: Settings, incident_id: str) -> None:
    """Undo the fix of a healed incident and say what was done.

    Raises:
        ConflictError: it could not be taken back whole.
    """
    from flows.undo import undo_heal

    whole_id = undo_heal(settings, incident_id, by=local_user())
    story = read_story(Ledger.open(settings.ledger_url), whole_id)
    for result in story.results:
        if result.status is ActionStatus.UNDONE:
            Console().print(f"{result.action_name}: {result.message}", markup=False)
    Console().print(f"{whole_id}: [bold yellow]undone[/], and read again: nothing of the fix is left.")
