"""Drafts the size of a workload from what its containers were measured to use; what was not measured is not sized.

A container that was killed at its limit needed more than that, however little of it a reading caught: its new limit is
a step above the one at which it was killed.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mappings_of
from tasks.domain.cluster_bounds import ChangeBounds
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass
from tasks.domain.measured import ContainerUse, MeasuredUse
from tasks.domain.plan import Action, Remedy, Risk
from tasks.domain.quantity import amount
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import diff_of, identity, workload_of
from tasks.plan.cluster.measure import Measure

_MIB = 2**20
_LEAST = {"cpu": 0.01, "memory": 16.0 * _MIB}
_CALLED = {"limits/memory": "memory limit", "requests/memory": "memory request", "requests/cpu": "cpu request"}


def size_resources(
    cause: ClusterCause, snapshot: ClusterSnapshot, bounds: ChangeBounds, measure: Measure
) -> tuple[Action, KubeObject]:
    """More memory for what is killed out of it, or smaller requests for what finds no node."""
    target = workload_of(cause, snapshot)
    use = measure(target)
    if not use.readings:
        raise Unfit(str(use))
    more = cause.diagnosis.failure_class is FailureClass.K8S_OOM
    killed = _killed_at(target, snapshot)
    operations: list[dict[str, Any]] = []
    for index, container in enumerate(mappings_of(target.pod_spec.get("containers"))):
        name, root = str(container.get("name")), f"/spec/template/spec/containers/{index}/resources"
        used = use.of(name)
        if used is None or (more and killed and name not in killed):
            continue
        rows = _raised(container, used, killed.get(name, 0.0), bounds) if more else _lowered(container, used, bounds)
        operations += [{**row, "path": f"{root}/{row['path']}", "told": _told(name, row, used)} for row in rows]
    if not operations:
        raise Unfit(
            f"the most that was used, with headroom, fits into the limit it has ({use}): more memory would hide a leak"
            if more
            else f"its requests are not larger than the most that was used, with headroom ({use})"
        )
    return _action(target, operations, _why(use, bounds, killed=bool(more and killed))), target


def _action(target: KubeObject, operations: list[dict[str, Any]], why: str) -> Action:
    before = {row["path"]: row["was"] for row in operations}
    after = {row["path"]: row["value"] for row in operations}
    return Action(
        name=Remedy.SIZE_RESOURCES,
        target=str(target.ref),
        parameters={
            **identity(target),
            "operations": json.dumps([{"path": row["path"], "value": row["value"]} for row in operations]),
        },
        risk=Risk.MEDIUM,
        summary=f"Size {target.ref} once: {', '.join(row['told'] for row in operations)}; {why}",
        undo=f"give {target.ref} its former sizes again",
        preview=diff_of(before, after, str(target.ref)),
    )


def _told(name: str, row: dict[str, Any], used: ContainerUse) -> str:
    most = _quantity("cpu", used.cpu) if row["path"].endswith("cpu") else _quantity("memory", used.memory)
    return f"{_CALLED[row['path']]} of {name} from {row['was']} to {row['value']} (used at most {most})"


def _why(use: MeasuredUse, bounds: ChangeBounds, *, killed: bool) -> str:
    over = "the limit at which it was killed, or of its highest use where that is more" if killed else "its highest use"
    return f"use was {use}, and the new size is {bounds.headroom} times {over}, within bounds"


def _killed_at(target: KubeObject, snapshot: ClusterSnapshot) -> dict[str, float]:
    """The highest memory limit, in bytes, at which each container was killed out of memory."""
    found: dict[str, float] = {}
    for pod in snapshot.pods_of(target.ref):
        limits = {
            str(row.get("name")): amount(dig(row, "resources", "limits", "memory"))
            for row in mappings_of(pod.pod_spec.get("containers"))
        }
        for name in _killed_in(pod):
            found[name] = max(found.get(name, 0.0), limits.get(name) or 0.0)
    return found


def _killed_in(pod: KubeObject) -> Iterator[str]:
    for row in mappings_of(pod.status.get("containerStatuses")):
        if any(dig(row, state, "terminated", "reason") == "OOMKilled" for state in ("state", "lastState")):
            yield str(row.get("name"))


def _raised(container: Json, used: ContainerUse, killed_at: float, bounds: ChangeBounds) -> list[dict[str, Any]]:
    was = dig(container, "resources", "limits", "memory")
    limit = amount(was)
    if was is None or limit is None or used.memory * bounds.headroom <= limit * 1.05:
        return []
    needed = max(used.memory, killed_at)
    wanted = min(needed * bounds.headroom, limit * bounds.max_factor, bounds.max_memory_mib * float(_MIB))
    if wanted <= limit * 1.05:
        return []
    return [{"path": "limits/memory", "was": was, "value": _quantity("memory", wanted, up=True)}]


def _lowered(container: Json, used: ContainerUse, bounds: ChangeBounds) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for resource, least in _LEAST.items():
        was = dig(container, "resources", "requests", resource)
        request, most = amount(was), used.cpu if resource == "cpu" else used.memory
        if was is None or request is None or not most:
            continue
        wanted = max(most * bounds.headroom, least)
        if wanted < request * 0.95:
            rows.append({"path": f"requests/{resource}", "was": was, "value": _quantity(resource, wanted)})
    return rows


def _quantity(resource: str, value: float, *, up: bool = False) -> str:
    if resource == "cpu":
        return f"{math.ceil(round(value * 1000, 3))}m"
    return f"{math.floor(value / _MIB) if up else math.ceil(value / _MIB)}Mi"
