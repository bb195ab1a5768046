"""`healflow approve`, `approve-link`, `reject` and `undo`: of the local user, whom the operating system vouches for."""

from collections.abc import Sequence
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.markup import escape

from deployments.home import Home, local_user, open_ledger
from tasks.approve import answer_newest, answer_question, attempt_at, check_edit, editable, identify, sign_link
from tasks.domain.approval import Answer, ApprovalChannel, ApprovalLink, IdentityKind
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import ActionStatus
from tasks.errors import BadInputError, ConflictError
from tasks.remember import read_story
from tasks.settings import Settings


def answer(settings: Settings, incident_id: str, given: Answer, *, reason: str) -> None:
    """Record the answer; the dispatcher of `healflow up` wakes the waiting run.

    Raises:
        NotFoundError: there is no such incident.
        ConflictError: it waits for no answer, or this one does not count; the message says why.
    """
    ledger = open_ledger(settings)
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
    ledger, now = open_ledger(settings), datetime.now(UTC)
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


def make_link(settings: Settings, incident_id: str, person: str) -> None:
    """Print the address of the approval page for one person; that it was made stands in the audit trail.

    Raises:
        BadInputError: nobody of that name stands in the settings.
        ConflictError: the incident waits for no answer.
    """
    ledger, now, people = open_ledger(settings), datetime.now(UTC), settings.approvals.people
    story = read_story(ledger, incident_id)
    stored = ledger.approvals.get(story.request.id) if story.request is not None else None
    if stored is None or stored.answer is not None or story.incident.status is not IncidentStatus.WAITING:
        raise ConflictError(f"{story.incident.id} waits for no answer: it is {story.incident.status}")
    maker = identify(IdentityKind.LOCAL, local_user(), people)
    named = {one.name for one in people} | {maker.person}
    wanted = person or maker.person
    if wanted not in named:
        known = ", ".join(sorted(named))
        raise BadInputError(f"nobody is called {wanted[:100]!r} in HEALFLOW_APPROVALS__PEOPLE; there is {known}")
    request = stored.request
    link = ApprovalLink(request_id=request.id, nonce=request.nonce, person=wanted, made_by=maker.person)
    told = {"request_id": request.id, "person": wanted}
    ledger.audit.write("link.made", incident_id=request.incident_id, actor=maker.person, document=told, at=now)
    home = Home(settings)
    typer.echo(f"{_gateway_url(settings, home)}/approve/{sign_link(link, home.link_key())}")
    typer.echo(f"For {wanted}, until {request.deadline:%Y-%m-%d %H:%M} UTC. Whoever holds it answers so.", err=True)


def _gateway_url(settings: Settings, home: Home) -> str:
    holder = home.holder()
    if settings.approvals.public_url is not None:
        return settings.approvals.public_url
    return holder.gateway_url if holder and holder.gateway_url else f"http://127.0.0.1:{settings.gateway_port}"


def _say_whether_somebody_listens(settings: Settings) -> None:
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
    story = read_story(open_ledger(settings), whole_id)
    for result in story.results:
        if result.status is ActionStatus.UNDONE:
            Console().print(f"{result.action_name}: {result.message}", markup=False)
    Console().print(f"{whole_id}: [bold yellow]undone[/], and read again: nothing of the fix is left.")
