"""Drafts the deletion of a pod that was evicted or never gets its network, so that it is made anew."""

from tasks.domain.cluster import ClusterSnapshot, KubeObject
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.cluster_pods import undeletable
from tasks.domain.incident import Incident
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import identity


def delete_pod(_incident: Incident, cause: ClusterCause, snapshot: ClusterSnapshot) -> tuple[Action, KubeObject]:
    """One pod: the first of those that suffer which may be deleted."""
    refused = ""
    for ref in (cause.target, *cause.victims):
        pod = snapshot.find("Pod", ref.namespace, ref.name) if ref.kind == "Pod" else None
        if pod is None:
            continue
        refused = undeletable(pod)
        if not refused:
            action = Action(
                name=Remedy.DELETE_POD,
                target=str(pod.ref),
                parameters=identity(pod),
                risk=Risk.MEDIUM,
                summary=f"Delete {pod.ref}, so that {pod.owner} makes a new one",
                undo=f"nothing to restore: {pod.owner} makes a new pod in its place",
            )
            return action, pod
    raise Unfit(refused or "no pod is named that could be deleted")
