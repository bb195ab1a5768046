"""The marks of a heal on GitHub: one comment on the pull request that failed, and a status of its commit.

They say what was found and what became of it, change no code, and are left only where our own credentials may write.
"""

from tasks.act.actions.comment_triage import comment_action
from tasks.act.actions.set_commit_status import status_action
from tasks.act.context import ActContext
from tasks.act.hosted import github_of, require_own_run
from tasks.act.wording import without_mentions
from tasks.domain.code_host import StatusState
from tasks.domain.incident import IncidentStatus
from tasks.domain.markdown import cause_markdown, prose
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Action
from tasks.domain.story import Triage

_STATES = {
    IncidentStatus.HEALED: StatusState.SUCCESS,
    IncidentStatus.RESOLVED: StatusState.SUCCESS,
    IncidentStatus.ESCALATED: StatusState.ERROR,
}
MAX_DESCRIPTION_CHARACTERS = 140
"""GitHub's limit for the description of a status."""


def marks_of(
    context: ActContext, triage: Triage, outcome: Outcome | None, *, comment: bool, status: bool
) -> tuple[Action, ...]:
    """What is to be written now; `outcome` is `None` while the heal goes on. Nothing where no pull request is open.

    Raises:
        PermanentError: the run comes from a fork, or cannot be read.
    """
    run = require_own_run(context)
    marks = []
    pull_request = github_of(context).pulls.of_run(run) if comment else None
    if pull_request is not None and pull_request.open:
        marks.append(comment_action(context, pull_request=pull_request.number, text=comment_text(triage, outcome)))
    if status:
        state = _STATES.get(outcome.status, StatusState.FAILURE) if outcome else StatusState.PENDING
        said = outcome.summary if outcome else triage.diagnosis.cause
        described = " ".join(said.split())[:MAX_DESCRIPTION_CHARACTERS]
        marks.append(status_action(context, state=state, description=described))
    return tuple(marks)


def comment_text(triage: Triage, outcome: Outcome | None) -> str:
    """Markdown: the cause with its quotes, the plan, and the end once there is one; it notifies nobody."""
    parts = ["### Healflow", cause_markdown(triage.diagnosis, triage.evidence), prose(triage.plan.rationale)]
    if outcome is not None:
        parts.append(f"**{outcome.status.capitalize()}.** {prose(outcome.summary)}")
    elif triage.plan.changes_something:
        told = f"Waiting for an answer: comment `/healflow approve {triage.incident.id}`, or `/healflow reject "
        parts.append(f"{told}{triage.incident.id} REASON`. More: `healflow show {triage.incident.id}`.")
    return without_mentions("\n\n".join(parts))
