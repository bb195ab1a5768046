"""Drafts the replicas of a workload that was scaled to zero while others call it; how many is read, not guessed."""

from tasks.domain.cluster import ClusterSnapshot, KubeObject, dig, mapping_of, selects
from tasks.domain.cluster_bounds import ChangeBounds
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import REVISION, diff_of, identity, revision_of
from tasks.plan.cluster.measure import Measure

_DESIRED = "deployment.kubernetes.io/desired-replicas"
"""What a Deployment writes on each revision that it scales: the replicas that it had itself."""


def scale_workload(
    cause: ClusterCause, snapshot: ClusterSnapshot, bounds: ChangeBounds, _: Measure
) -> tuple[Action, KubeObject]:
    """Up from zero, where a Service leads to it and somebody needs it."""
    target = _scaled_to_zero(cause, snapshot)
    _require_no_autoscaler(target, snapshot)
    if not cause.victims:
        raise Unfit(f"nothing shows that anybody needs {target.ref}")
    replicas, source = _earlier_replicas(target, snapshot)
    replicas = min(replicas, bounds.max_replicas)
    action = Action(
        name=Remedy.SCALE_WORKLOAD,
        target=str(target.ref),
        parameters={**identity(target), "replicas": str(replicas)},
        risk=Risk.MEDIUM,
        summary=f"Scale {target.ref} from 0 to {replicas}, {source}",
        undo=f"scale {target.ref} to 0 again",
        preview=diff_of({"replicas": 0}, {"replicas": replicas}, str(target.ref)),
    )
    return action, target


def _scaled_to_zero(cause: ClusterCause, snapshot: ClusterSnapshot) -> KubeObject:
    item = snapshot.find(cause.target.kind, cause.target.namespace, cause.target.name)
    chosen = [] if item is None else [item]
    if item is not None and item.kind == "Service":
        selector = mapping_of(item.spec.get("selector"))
        chosen = [one for one in snapshot.templates() if one.namespace == item.namespace and selector]
        chosen = [one for one in chosen if selects(selector, one.pod_labels)]
    if len(chosen) != 1 or chosen[0].kind not in ("Deployment", "StatefulSet"):
        raise Unfit("it is not exactly one workload that can be scaled")
    if chosen[0].spec.get("replicas") != 0:
        raise Unfit(f"{chosen[0].ref} is not scaled to zero")
    return chosen[0]


def _require_no_autoscaler(target: KubeObject, snapshot: ClusterSnapshot) -> None:
    for item in snapshot.of_kind("HorizontalPodAutoscaler", target.namespace):
        scales = mapping_of(dig(item.spec, "scaleTargetRef"))
        if (scales.get("kind"), scales.get("name")) == (target.kind, target.name):
            raise Unfit(f"{item.ref} scales {target.ref}")


def _earlier_replicas(target: KubeObject, snapshot: ClusterSnapshot) -> tuple[int, str]:
    """What an earlier revision tells: the newest one was told of the zero too."""
    current = str(target.annotations.get(REVISION) or "")
    sets = [one for one in snapshot.children_of(target.ref) if one.annotations.get(REVISION) != current]
    for one in sorted(sets, key=revision_of, reverse=True):
        told = str(one.annotations.get(_DESIRED) or "")
        if told.isdigit() and int(told) > 0:
            return int(told), f"as many as {one.ref} tells that it had"
    return 1, "the least there can be: how many it had is told nowhere"
