"""The one way in which an incident ends: outcome, story, status and what is left of it in one transaction."""

from collections.abc import Sequence

from tasks.clients.ledger import Ledger
from tasks.domain.approval import Approval
from tasks.domain.grouping import Following
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Plan


def end_incident(
    ledger: Ledger,
    incident: Incident,
    outcome: Outcome,
    *,
    plan: Plan | None,
    following: Following | None = None,
    withdrawn: Sequence[Approval] = (),
    members_seen: int | None = None,
) -> Outcome:
    """End an incident as `outcome` says; returns how it ended. What had ended otherwise stays so, and its story tells
    the rest: a run that was taken for lost may come to its end yet.

    `plan` is what was, or would have been, done; `following` the incident that is opened for what still fails;
    `withdrawn` the silence on its questions that nobody shall answer any more; `members_seen` how many failures it had
    when it was looked which of them still show.

    Raises:
        OvertakenError: it has more by now; nothing was written.
        HealflowError: the ledger cannot be written; then nothing of the end is.
    """
    ended = ledger.memory.end(
        outcome,
        repository=incident.signal.repository,
        environment=incident.environment,
        plan=plan,
        following=following,
        withdrawn=withdrawn,
        members_seen=members_seen,
    )
    if ended:
        return outcome
    if outcome.status is not IncidentStatus.RESOLVED:
        ledger.incidents.note(incident.id, f"its run came to an end after that: {outcome.summary}", at=outcome.ended_at)
    return ledger.memory.outcome_of(incident.id) or outcome
