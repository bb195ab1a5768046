"""Who else notices a plan: said from what the plan changes and where, and honest where that is not known."""

from tasks.domain.incident import Incident, SignalSource
from tasks.domain.plan import CLUSTER_REMEDIES, Action, Plan, Remedy
from tasks.domain.story import Story

_NOBODY = {
    Remedy.RERUN_FAILED_JOBS: "Nobody: the failed jobs run once more, and no code changes.",
    Remedy.REPORT_ONLY: "Nobody: nothing is changed.",
    Remedy.COMMENT_TRIAGE: "Whoever reads the pull request sees the comment.",
    Remedy.SET_COMMIT_STATUS: "Whoever reads the commit sees its status.",
}
_WHOLE_CLUSTER = {
    Remedy.RESTART_COREDNS: "The whole cluster: names may not resolve for a moment.",
    Remedy.UNCORDON_NODE: "The whole cluster: any workload may be placed on the node again.",
}


MAX_NAMED = 5
"""So many of the failures that an incident stands for are named."""


def affected_by(plan: Plan, story: Story) -> tuple[str, ...]:
    """One sentence for each part of the world that the plan touches, each said once, and one for who fails with it."""
    touched = dict.fromkeys(_sentence(action, story.incident) for action in plan.actions)
    return (*touched, *_others(story))


def _others(story: Story) -> tuple[str, ...]:
    """The failures that were taken for the same one."""
    others = story.member_count - 1
    if others < 1:
        return ()
    titles = [" ".join(member.signal.title.split())[:80] for member in story.members[1 : MAX_NAMED + 1]]
    more = f", and {others - len(titles)} more" if others > len(titles) else ""
    fails = "one more failure was" if others == 1 else f"{others} more failures were"
    return (f"With it {fails} taken for the same: {'; '.join(titles)}{more}.",)


def _sentence(action: Action, incident: Incident) -> str:
    said = next((text for name, text in (_NOBODY | _WHOLE_CLUSTER).items() if name == action.name), None)
    if said is not None:
        return said
    if action.name in CLUSTER_REMEDIES:
        return _in_cluster(action)
    return _in_repository(action, incident)


def _in_cluster(action: Action) -> str:
    parts = action.target.split("/")
    where = f"namespace {parts[1]}" if len(parts) == 3 else "the cluster"
    return f"{action.target} in {where}, and whatever calls it; which callers there are is not recorded."


def _in_repository(action: Action, incident: Incident) -> str:
    signal = incident.signal
    if signal.source is SignalSource.GITHUB:
        into = signal.base_branch or signal.branch
        return f"Nobody until a pull request is merged into {into} of {signal.repository}: the fix is only offered."
    if signal.source is SignalSource.PIPELINE:
        return (
            f"Nobody while the fix stands on a branch of its own ({action.target}); merged, everybody who builds "
            f"{signal.branch} of {signal.repository}."
        )
    return f"Not known: who works with {action.target} is not recorded."
