"""What the actions have in common that put a fix on GitHub: our branch there, and the pull request from it.

Nothing is taken over or taken back that is not the one commit of the incident itself.
"""

from tasks.act.patching import INCIDENT_TRAILER
from tasks.clients.github import GithubClient
from tasks.domain.base import Noun
from tasks.domain.code_host import PullRequest


class PullRequestState(Noun):
    """Our branch on GitHub and the pull request from it; `None` where there is none."""

    repository: str
    branch: str
    tip: str | None
    pull_request: PullRequest | None


def read_offer(github: GithubClient, repository: str, branch: str) -> PullRequestState:
    """What of ours is there now.

    Raises:
        PermanentError: the branch must not be written to.
    """
    github.branches.require_writable(repository, branch)
    return PullRequestState(
        repository=repository,
        branch=branch,
        tip=github.branches.tip(repository, branch),
        pull_request=github.pulls.find(repository, branch),
    )


def our_tip(github: GithubClient, before: PullRequestState, *, incident_id: str, base_commit: str) -> str | None:
    """Where our branch ends on GitHub, if that is a commit of this incident with nobody's commit on top of it."""
    tip = github.branches.tip(before.repository, before.branch)
    if tip is None:
        return None
    line = f"{INCIDENT_TRAILER}: {incident_id}"
    return tip if github.branches.is_commit_with(before.repository, tip, parent=base_commit, line=line) else None


def take_offer_back(github: GithubClient, before: PullRequestState, after: PullRequestState) -> str:
    """Close the pull request, or give it its earlier text, and set our branch back; says what was done.

    Raises:
        ConflictError: the branch no longer ends where we left it.
    """
    told = []
    opened, known = after.pull_request, before.pull_request
    if opened is not None and (known is None or known.number != opened.number):
        github.pulls.close(after.repository, opened.number)
        told.append(f"pull request {opened.number} was closed")
    elif opened is not None and known is not None:
        github.pulls.restore(after.repository, known)
        told.append(f"pull request {opened.number} has its earlier text again")
    if after.tip is not None:
        github.branches.restore(after.repository, after.branch, expected_tip=after.tip, to=before.tip)
        done = "deleted" if before.tip is None else "set back"
        told.append(f"{after.branch} was {done} on GitHub")
    return ", ".join(told) or "nothing had been opened"


def is_offer_taken_back(github: GithubClient, before: PullRequestState) -> bool:
    """Whether branch and pull request are as they were before."""
    if github.branches.tip(before.repository, before.branch) != before.tip:
        return False
    now, known = github.pulls.find(before.repository, before.branch), before.pull_request
    if now is None or known is None:
        return now is None and known is None
    return _text_of(now) == _text_of(known)


def _text_of(one: PullRequest) -> tuple[int, str, str, str]:
    return (one.number, one.title, one.body, one.base_branch)
