"""Disruption budgets: those that protect nothing, and those that let no pod go while a node is to be emptied."""

from collections.abc import Iterator

from tasks.diagnose.analyzers.cluster.reading import int_of, spec_quote, status_quote
from tasks.domain.cluster import ClusterSnapshot, KubeObject, mapping_of, selects, unique_refs
from tasks.domain.cluster_cause import Clue, Quote
from tasks.domain.failure_class import FailureClass as F


def find_budget_faults(snapshot: ClusterSnapshot) -> Iterator[Clue]:
    """One clue for each budget that does not do what it is for, or does too much."""
    for budget in snapshot.of_kind("PodDisruptionBudget"):
        selector = mapping_of(budget.spec.get("selector"))
        carriers = snapshot.carriers(budget.namespace)
        chosen = [item for item in carriers if selects(selector, item.pod_labels)] if selector else []
        if selector and not chosen:
            said = spec_quote(budget, f"selector: {dict(selector)}")
            yield _clue(budget, f"{budget.ref} selects no pod.", (said,), 0.5, hint=True)
        elif chosen:
            yield from _blocking(snapshot, budget, [item for item in chosen if item.kind == "Pod"])
            if snapshot.desired_only:
                yield from _keeps_all(budget, [item for item in chosen if item.owner is None])


def _keeps_all(budget: KubeObject, makers: list[KubeObject]) -> Iterator[Clue]:
    """A budget that is written so that it can let nobody go."""
    wanted = sum(int_of(item.spec.get("replicas"), 1) for item in makers)
    least, most = budget.spec.get("minAvailable"), budget.spec.get("maxUnavailable")
    if most in (0, "0", "0%") or least == "100%" or (isinstance(least, int) and least >= wanted > 0):
        rule = f"maxUnavailable: {most}" if least is None else f"minAvailable: {least}"
        said = spec_quote(budget, f"{rule}; replicas: {wanted}")
        cause = f"{budget.ref} lets none of the {wanted} pods of {makers[0].ref} go ({rule}), so that no node of theirs can be emptied."
        yield _clue(budget, cause, (said,), 0.6, hint=False)


def _blocking(snapshot: ClusterSnapshot, budget: KubeObject, pods: list[KubeObject]) -> Iterator[Clue]:
    """A budget that allows nothing although all of its pods are well allows nothing ever."""
    status = budget.status
    if not status or int_of(status.get("disruptionsAllowed"), 1) > 0 or not pods:
        return
    healthy, least = int_of(status.get("currentHealthy")), int_of(status.get("desiredHealthy"))
    if healthy < least:
        return  # what keeps its pods from being ready is told of them
    closed = {node.name: node for node in snapshot.of_kind("Node") if node.spec.get("unschedulable") is True}
    held = [pod for pod in pods if pod.spec.get("nodeName") in closed]
    nodes = unique_refs(closed[str(pod.spec["nodeName"])].ref for pod in held)
    what = f", so that {nodes[0]} cannot be emptied" if nodes else ""
    rule = next((f"{key}: {budget.spec[key]}" for key in ("minAvailable", "maxUnavailable") if key in budget.spec), "")
    quotes = [status_quote(budget, f"disruptionsAllowed: 0, currentHealthy: {healthy}, desiredHealthy: {least}")]
    quotes += [spec_quote(closed[nodes[0].name], "unschedulable: true")] if nodes else []
    cause = f"{budget.ref} lets none of its {len(pods)} pods go ({rule}){what}."
    clue = _clue(budget, cause, tuple(quotes), 0.75 if nodes else 0.5, hint=not nodes)
    owners = unique_refs(snapshot.workload_of(pod) for pod in held)
    yield clue.model_copy(update={"victims": (*nodes, *owners)})


def _clue(budget: KubeObject, cause: str, quotes: tuple[Quote, ...], confidence: float, *, hint: bool) -> Clue:
    return Clue(
        failure_class=F.K8S_PDB,
        rule="cluster-budget",
        cause=cause,
        target=budget.ref,
        quotes=quotes,
        confidence=confidence,
        rank=30,
        hint=hint,
    )
