"""Drafts the size of a workload from what its containers were measured to use; what was not measured is not sized."""

import json
import math
from typing import Any

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mappings_of
from tasks.domain.cluster_bounds import ChangeBounds
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass
from tasks.domain.plan import Action, Remedy, Risk
from tasks.domain.quantity import amount
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import diff_of, identity, workload_of

_MIB = 2**20
_LEAST = {"cpu": 0.01, "memory": 16.0 * _MIB}


def size_resources(cause: ClusterCause, snapshot: ClusterSnapshot, bounds: ChangeBounds) -> tuple[Action, KubeObject]:
    """More memory for what is killed out of it, or smaller requests for what finds no node."""
    target = workload_of(cause, snapshot)
    used = _measured(target, snapshot)
    if not used:
        raise Unfit("nothing measured what its containers use")
    more = cause.diagnosis.failure_class is FailureClass.K8S_OOM
    operations: list[Json] = []
    for index, container in enumerate(mappings_of(target.pod_spec.get("containers"))):
        root = f"/spec/template/spec/containers/{index}/resources"
        usage = used.get(str(container.get("name")), {})
        operations += _raised(root, container, usage, bounds) if more else _lowered(root, container, usage, bounds)
    if not operations:
        raise Unfit(
            "what was measured, with headroom, fits into the limit it has: more memory would hide a leak"
            if more
            else "its requests are not larger than what was measured, with headroom"
        )
    before = {row["path"]: row["was"] for row in operations}
    after = {row["path"]: row["value"] for row in operations}
    told = ", ".join(f"{'/'.join(row['path'].split('/')[-2:])} {row['was']} to {row['value']}" for row in operations)
    action = Action(
        name=Remedy.SIZE_RESOURCES,
        target=str(target.ref),
        parameters={
            **identity(target),
            "operations": json.dumps([{"path": row["path"], "value": row["value"]} for row in operations]),
        },
        risk=Risk.MEDIUM,
        summary=f"Size {target.ref} once from measured use times {bounds.headroom}: {told}",
        undo=f"give {target.ref} its former sizes again",
        preview=diff_of(before, after, str(target.ref)),
    )
    return action, target


def _measured(target: KubeObject, snapshot: ClusterSnapshot) -> dict[str, dict[str, float]]:
    """The most that any pod of the workload uses, by container and resource (PodMetrics of metrics.k8s.io)."""
    found: dict[str, dict[str, float]] = {}
    for pod in snapshot.pods_of(target.ref):
        metrics = snapshot.find("PodMetrics", pod.namespace, pod.name)
        for row in mappings_of(metrics.raw.get("containers")) if metrics is not None else ():
            usage = found.setdefault(str(row.get("name")), {})
            for resource in _LEAST:
                value = amount(dig(row, "usage", resource)) or 0.0
                usage[resource] = max(usage.get(resource, 0.0), value)
    return {name: usage for name, usage in found.items() if any(usage.values())}


def _raised(root: str, container: Json, usage: dict[str, float], bounds: ChangeBounds) -> list[dict[str, Any]]:
    was = dig(container, "resources", "limits", "memory")
    limit, used = amount(was), usage.get("memory", 0.0)
    if was is None or limit is None or not used:
        return []
    wanted = min(used * bounds.headroom, limit * bounds.max_factor, bounds.max_memory_mib * float(_MIB))
    if wanted <= limit * 1.05:
        return []
    return [{"path": f"{root}/limits/memory", "was": was, "value": _quantity("memory", wanted, up=True)}]


def _lowered(root: str, container: Json, usage: dict[str, float], bounds: ChangeBounds) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for resource, least in _LEAST.items():
        was = dig(container, "resources", "requests", resource)
        request, used = amount(was), usage.get(resource, 0.0)
        if was is None or request is None or not used:
            continue
        wanted = max(used * bounds.headroom, least)
        if wanted < request * 0.95:
            rows.append({"path": f"{root}/requests/{resource}", "was": was, "value": _quantity(resource, wanted)})
    return rows


def _quantity(resource: str, value: float, *, up: bool = False) -> str:
    if resource == "cpu":
        return f"{math.ceil(round(value * 1000, 3))}m"
    return f"{math.floor(value / _MIB) if up else math.ceil(value / _MIB)}Mi"
