"""`healflow approve`, `reject` and `undo`: answers of the local user, whose name the operating system vouches for."""

import os
import pwd
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, Approval, ApprovalChannel
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
        ConflictError: it waits for no answer, was answered before, or the question expired.
    """
    ledger = Ledger.open(settings.ledger_url)
    incident = ledger.incidents.get(incident_id).incident
    questions = ledger.approvals.of_incident(incident.id)
    if not questions:
        raise ConflictError(f"{incident.id} waits for no answer: it is {incident.status}")
    newest = questions[-1]
    approval = Approval(
        request_id=newest.request.id,
        plan_digest=newest.request.plan_digest,
        answer=given,
        answered_by=local_user(),
        verified=True,
        channel=ApprovalChannel.COMMAND_LINE,
        reason=reason,
        answered_at=datetime.now(UTC),
    )
    ledger.approvals.answer(approval)
    Console().print(f"{incident.id}: recorded [bold]{given}[/] by {escape(approval.answered_by)}.")
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
