"""Answers that come as comments on GitHub: who wrote them is looked up, they are judged like any, and told below.

It works off the comments that the gateway accepted, beside the dispatcher: a GitHub that is away delays nothing else,
and may be killed at any moment, for the ledger takes one answer once.
"""

import logging
import re
from datetime import datetime, timedelta

from tasks.approve import answer_question, attempt_at, find_question, identify, refuse_answer
from tasks.clients.github import GithubClient
from tasks.clients.ledger import EventStatus, Ledger, StoredEvent
from tasks.domain.approval import (
    Answer,
    ApprovalChannel,
    ApprovalRequest,
    Attempt,
    Identity,
    IdentityKind,
    Judgement,
    Refusal,
)
from tasks.domain.comment import CommentCommand
from tasks.domain.incident import SignalSource
from tasks.domain.markdown import prose
from tasks.errors import ConflictError, HealflowError, NotFoundError, PermanentError, TransientError
from tasks.intake import read_delivery
from tasks.settings import Settings

COMMENTS_A_TICK = 10
PAUSE = timedelta(seconds=30)
"""How long a GitHub that is away is left alone, where it does not say itself."""
LONGEST_PAUSE = timedelta(hours=1)
USAGE = (
    "Write `/healflow approve ID` or `/healflow reject ID REASON` on the first line; ID is the whole id of an incident "
    "or of one question."
)

_ADDRESS = re.compile(r"(?:email:)?[^\s@]+@[^\s@]+")
"""Anybody may read the comments of a public repository, and a mail address is nobody's business there."""

log = logging.getLogger("healflow.comments")


def open_github(settings: Settings) -> GithubClient | None:
    """GitHub with our credentials; `None` where there are none, or where they are set wrongly, which is logged."""
    if not settings.github.can_write:
        return None
    try:
        return GithubClient.from_settings(settings.github)
    except PermanentError as error:
        log.warning("GitHub is not asked, so its comments are not answered nor its lost failures found: %s", error)
        return None


class Comments:
    """One pass over the comments that wait is a tick."""

    def __init__(self, ledger: Ledger, settings: Settings, github: GithubClient | None) -> None:
        self._ledger, self._settings, self._github = ledger, settings, github
        self._quiet_until: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Judge what waits; what GitHub has to be asked about waits until it answers."""
        if self._quiet_until is not None and now < self._quiet_until:
            return
        for event in self._ledger.events.pending(limit=COMMENTS_A_TICK, comments=True):
            try:
                self._take(event, now)
            except TransientError as error:
                asked = timedelta(seconds=error.retry_after_seconds) if error.retry_after_seconds else PAUSE
                self._quiet_until = now + min(asked, LONGEST_PAUSE)
                log.warning("Comments on GitHub wait: %s. Nothing is lost; it goes on by itself.", error)
                return
            except PermanentError as error:
                log.exception("%s cannot be judged", event.delivery_id)
                self._ledger.events.settle(event.delivery_id, EventStatus.REFUSED, note=str(error)[:500])

    def _take(self, event: StoredEvent, now: datetime) -> None:
        told = read_delivery(event.source, event.event_name, event.delivery_id, event.body, now=now)
        for command in told.comments:
            identity = identify(IdentityKind.GITHUB, command.login, self._settings.approvals.people)
            stranger = self._stranger(command, identity)
            incident_id, text = self._judged(command, identity, stranger, event.received_at)
            self._ledger.events.settle(event.delivery_id, EventStatus.DISPATCHED, incident_id=incident_id, note=text)
            log.info("%s by %s: %s", event.delivery_id, command.login, text)
            if not stranger:
                self._reply(command, text)

    def _stranger(self, command: CommentCommand, identity: Identity) -> str:
        """Why this account answers nothing; empty when it is one of the people, or may write to the repository.

        Raises:
            TransientError: GitHub, which has to be asked, is away.
        """
        if identity.listed:
            return ""
        if not command.trusted:
            return f"{command.login} is none of the people of {command.repository}"
        if self._github is None:
            return (
                f"{command.login} stands not among the people of HEALFLOW_APPROVALS__PEOPLE, and without credentials "
                "GitHub cannot be asked what they may do"
            )
        try:
            may = self._github.people.may_write(command.repository, command.login)
        except PermanentError as error:
            return f"GitHub does not tell what {command.login} may do ({error})"
        return "" if may else f"{command.login} may not write to {command.repository}"

    def _judged(
        self, command: CommentCommand, identity: Identity, stranger: str, at: datetime
    ) -> tuple[str | None, str]:
        """The incident, where the comment is about one, and what to say."""
        if command.answer is None:
            return None, f"Nothing was done. {USAGE}"
        request, said = self._question(command)
        attempt = _attempt(command, command.answer, request, identity, at)
        if stranger:
            judgement = refuse_answer(self._ledger, attempt, Refusal.NOT_ALLOWED, stranger)
        elif request is None:
            judgement = refuse_answer(self._ledger, attempt, Refusal.UNKNOWN, said)
        else:
            judgement = self._judge(command, attempt, request)
        incident_id = request.incident_id if request is not None else None
        if judgement.refusal is not None:
            return incident_id, f"Nothing was done: {judgement.message}."
        return incident_id, f"{command.login}: {judgement.message}."

    def _judge(self, command: CommentCommand, attempt: Attempt, request: ApprovalRequest) -> Judgement:
        if command.occurred_at < request.asked_at.replace(microsecond=0):  # GitHub tells whole seconds
            message = "the comment is older than the question; look at the plan as it is now, and comment again"
            return refuse_answer(self._ledger, attempt, Refusal.ALTERED, message)
        return answer_question(self._ledger, attempt, people=self._settings.approvals.people)

    def _question(self, command: CommentCommand) -> tuple[ApprovalRequest | None, str]:
        """The question that is meant, or why none is; of incidents of other repositories nothing is said here."""
        if not self._is_of(command.about, command.repository):
            return None, f"{command.repository} has no incident and no question with exactly the id {command.about}"
        try:
            return find_question(self._ledger, command.about), ""
        except (NotFoundError, ConflictError) as error:
            return None, str(error)

    def _is_of(self, about: str, repository: str) -> bool:
        """Whether something of exactly that id happened in that repository on GitHub."""
        asked = self._ledger.approvals.get(about)
        whole = asked.request.incident_id if asked else about
        try:
            incident = self._ledger.incidents.get(whole).incident
        except NotFoundError:
            return False
        signal = incident.signal
        of_it = signal.source is SignalSource.GITHUB and signal.repository.lower() == repository.lower()
        return of_it and incident.id == whole

    def _reply(self, command: CommentCommand, text: str) -> None:
        """Say below the comment what became of it; where that fails, the answer stands in the ledger all the same."""
        if self._github is None:
            return
        key, body = (
            f"answer-{command.comment_id}",
            text if USAGE in text else prose(_ADDRESS.sub("their address", text)),
        )
        try:
            self._github.comments.reply(command.repository, command.thread, key, body)
        except HealflowError as error:
            log.warning("%s was not told on GitHub (%s): %s", command.login, error, text)


def _attempt(
    command: CommentCommand, answer: Answer, request: ApprovalRequest | None, identity: Identity, at: datetime
) -> Attempt:
    if request is not None:
        return attempt_at(
            request,
            answer=answer,
            identity=identity,
            channel=ApprovalChannel.GITHUB,
            reason=command.reason,
            now=at,
        )
    return Attempt(
        request_id=command.about,
        plan_digest="",
        nonce="",
        answer=answer,
        identity=identity,
        channel=ApprovalChannel.GITHUB,
        reason=command.reason,
        at=at,
    )
