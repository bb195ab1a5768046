"""Drafts the way back to an earlier revision."""

from tasks.domain.cluster import ClusterSnapshot, KubeObject, dig
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import (
    deployment_of,
    diff_of,
    identity,
    is_verified,
    ready_of,
    revision_of,
    revisions_of,
    serves,
    template_of,
)


def roll_back_rollout(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """Back to the newest earlier revision that a deploy verified, or that has ready pods: that it works was seen."""
    target = deployment_of(cause, snapshot)
    newest, earlier = revisions_of(target, snapshot)
    if cause.diagnosis.failure_class is FailureClass.DEP_SMOKE:
        _check_smoke(newest, earlier, snapshot)
    elif serves(newest, target, snapshot):
        raise Unfit("the newest revision has all its pods ready")
    if earlier is None:
        raise Unfit("no earlier revision has a ready pod or was verified by a deploy, so none is known to work")
    parameters = {
        **identity(target),
        "revision": earlier.name,
        "revision_uid": str(dig(earlier.raw, "metadata", "uid")),
    }
    known = "was verified by a deploy" if is_verified(earlier, snapshot) else f"has {ready_of(earlier)} ready pods"
    was, back = str(revision_of(newest)), str(revision_of(earlier))
    action = Action(
        name=Remedy.ROLL_BACK_ROLLOUT,
        target=str(target.ref),
        parameters=parameters,
        risk=Risk.MEDIUM,
        summary=f"Roll {target.ref} back from revision {was} to {back}, which {known}",
        undo=f"give {target.ref} the pod template of revision {was} again",
        preview=diff_of(template_of(newest), template_of(earlier), str(target.ref)),
    )
    return action, target


def _check_smoke(newest: KubeObject, earlier: KubeObject | None, snapshot: ClusterSnapshot) -> None:
    """Pods that are ready and answer wrongly say nothing of an earlier revision: only a deploy's smoke test does."""
    if is_verified(newest, snapshot):
        raise Unfit("the revision that runs was verified by a deploy, so something else is to blame")
    if earlier is None or not is_verified(earlier, snapshot):
        raise Unfit("no earlier revision was verified by a deploy, so none is known to answer")
