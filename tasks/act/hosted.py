"""What all actions on GitHub have in common: before any of them, the run itself is read again and judged.

Titles and labels are never asked; whether the commit comes from a fork is read from GitHub, whatever the event said.
"""

from tasks.act.context import ActContext
from tasks.clients.github import GithubClient
from tasks.domain.code_host import HostedRun
from tasks.domain.incident import SignalSource
from tasks.errors import ConflictError, PermanentError


def on_github(context: ActContext) -> bool:
    """Whether the incident is of a run on GitHub."""
    return context.incident.signal.source is SignalSource.GITHUB


def github_of(context: ActContext) -> GithubClient:
    """The client to act with.

    Raises:
        PermanentError: the incident is not one of GitHub's, or there is no client.
    """
    if not on_github(context) or context.github is None:
        raise PermanentError(f"{context.incident.id} is not an incident on GitHub: there is nothing to write to")
    return context.github


def require_own_run(context: ActContext) -> HostedRun:
    """The failed run as GitHub tells it now, its newest attempt.

    Raises:
        PermanentError: the commit comes from a fork, on whose behalf nothing is done with our credentials.
        ConflictError: the run is of another commit than the plan.
    """
    github, signal = github_of(context), context.incident.signal
    if signal.run is None:
        raise PermanentError("the signal names no run, so there is nothing to act on")
    if signal.from_fork:
        raise PermanentError(_from_fork(signal.run.run_id, signal.head_repository))
    run = github.runs.read(signal.repository, signal.run.run_id)
    if run.from_fork:
        raise PermanentError(_from_fork(run.run_id, run.head_repository))
    if run.repository.lower() != signal.repository.lower():
        raise PermanentError(f"run {run.run_id} belongs to {run.repository} now, and not to {signal.repository}")
    if run.commit != context.plan.target_state:
        raise ConflictError(f"run {run.run_id} is of {run.commit[:12]}, the plan of {context.plan.target_state[:12]}")
    return run


def _from_fork(run_id: str, head_repository: str | None) -> str:
    origin = head_repository or "a fork that is gone"
    return f"run {run_id} comes from {origin}: it is explained, and never acted on with our credentials"


def require_branch_unmoved(context: ActContext) -> None:
    """Raises:
    ConflictError: the failing branch was deleted on GitHub, or has moved since the plan was made.
    """
    signal, target = context.incident.signal, context.plan.target_state
    tip = github_of(context).branches.tip(signal.repository, signal.branch)
    if tip is None:
        raise ConflictError(f"the plan is void: the branch {signal.branch} of {signal.repository} was deleted")
    if tip != target:
        raise ConflictError(
            f"the plan is void: {signal.branch} was at {target[:12]} and is now at {tip[:12]} on GitHub; "
            "a failure of the new commit gets a plan of its own"
        )
