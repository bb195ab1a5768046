"""Drafts the plan for a failure in a cluster: the first remedy that fits, with the change itself, or a report.

A change is never invented. It comes from an earlier revision that still has ready pods, or from what the cluster
itself declares; what has no such source is reported, with the reason.
"""

from typing import Protocol

from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.cluster_bounds import ChangeBounds
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_state import state_digest
from tasks.domain.gitops import gitops_manager
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import SimilarIncident
from tasks.domain.plan import ONCE_PER_FINGERPRINT, Action, Plan, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.measure import Measure, as_captured
from tasks.plan.cluster.playbooks import playbook_for
from tasks.plan.cluster.registry import BOUNDED_DRAFTERS, CLUSTER_DRAFTERS
from tasks.plan.draft import check_it_held, explain_passed_over
from tasks.plan.playbooks import ADVICE

_BOUNDS = ChangeBounds()


class InGit(Protocol):
    """Makes the change of a live object one of its manifest."""

    def wanted_for(self, remedy: str, target: KubeObject) -> bool:
        """Whether the change of this object belongs into git."""

    def draft(self, action: Action, target: KubeObject) -> Action:
        """The change in git; raises Unfit, with the reason, where there can be none."""


def draft_cluster_plan(
    incident: Incident,
    cause: ClusterCause,
    snapshot: ClusterSnapshot,
    *,
    similar: tuple[SimilarIncident, ...] = (),
    bounds: ChangeBounds = _BOUNDS,
    in_git: InGit | None = None,
    measure: Measure | None = None,
) -> Plan:
    """The plan for one cause; what is planned on is the state of the object that changes, or the commit where `in_git`
    makes the change there. `measure` is asked only where a size is drafted; `None` takes what the snapshot holds."""
    found, passed_over = cause.diagnosis.failure_class, list[str]()
    measure = measure or as_captured(snapshot)
    for remedy in playbook_for(found, cause.target):
        try:
            check_it_held(remedy, similar)
            _check_it_is_first(remedy, similar)
            bounded = BOUNDED_DRAFTERS.get(remedy)
            action, target = (
                bounded(cause, snapshot, bounds, measure)
                if bounded
                else CLUSTER_DRAFTERS[remedy](incident, cause, snapshot)
            )
            action = _where_it_belongs(action, target, in_git)
        except Unfit as reason:
            passed_over.append(f"{remedy.replace('_', ' ')}: {reason}")
            continue
        return Plan(
            incident_id=incident.id,
            playbook=found,
            rationale=" ".join([f"{action.summary}.", f"The playbook for {found}.", *explain_passed_over(passed_over)]),
            actions=(action,),
            target_state=action.parameters["commit"] if action.name == Remedy.CHANGE_MANIFEST else state_digest(target),
        )
    advice = ADVICE.get(found, "A person has to look.")
    report = Action(
        name=Remedy.REPORT_ONLY,
        target=str(cause.target),
        risk=Risk.NONE,
        summary="Report the cause and change nothing",
        undo="nothing to take back",
    )
    why = "No remedy fits." if passed_over else f"No remedy for {found} is safe to take alone."
    return Plan(
        incident_id=incident.id,
        playbook=found,
        rationale=" ".join([why, *explain_passed_over(passed_over), *_told_before(similar), advice]),
        actions=(report,),
        target_state="",
    )


def _told_before(similar: tuple[SimilarIncident, ...]) -> list[str]:
    """That the same failure was reported before and nobody has put it right, or nothing."""
    before = [one.incident_id for one in similar if one.status is IncidentStatus.REPORTED]
    more = f" and in {len(before) - 1} more before that" if len(before) > 1 else ""
    return [f"The same was reported in {before[0]}{more}, and it fails yet."] if before else []


def _where_it_belongs(action: Action, target: KubeObject, in_git: InGit | None) -> Action:
    """What is kept by a GitOps controller, or is to be changed in git alone, is never changed live."""
    if in_git is not None and in_git.wanted_for(action.name, target):
        return in_git.draft(action, target)
    if manager := gitops_manager(target):
        raise Unfit(f"{target.ref} is kept by {manager}, so the change has to be made in git")
    return action


def _check_it_is_first(remedy: Remedy, similar: tuple[SimilarIncident, ...]) -> None:
    before = next((other for other in similar if remedy in other.action_names), None)
    if remedy in ONCE_PER_FINGERPRINT and before is not None:
        raise Unfit(f"it was done once against this failure, in {before.incident_id}")
