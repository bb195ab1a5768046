"""Drafts a probe's port from what the container, or the Service before it, declares; only where that is one port."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from tasks.domain.cluster import ClusterSnapshot, Json, KubeObject, dig, mapping_of, mappings_of, selects
from tasks.domain.cluster_cause import ClusterCause
from tasks.domain.failure_class import FailureClass as F
from tasks.domain.plan import Action, Remedy, Risk
from tasks.plan.case import Unfit
from tasks.plan.cluster.drafting import diff_of, identity

_PROBES: Mapping[F, tuple[str, ...]] = MappingProxyType(
    {F.K8S_PROBE_READY: ("readinessProbe",), F.K8S_CRASH_LIVENESS: ("livenessProbe", "startupProbe")}
)
_ASKS = ("httpGet", "tcpSocket", "grpc")


def correct_probe_port(cause: ClusterCause, snapshot: ClusterSnapshot, target: KubeObject) -> tuple[Action, KubeObject]:
    """The blamed probe on the one port that is declared.

    Raises:
        Unfit: no probe is blamed or asks a wrong port, or more than one port may be meant.
    """
    probes = _PROBES.get(cause.diagnosis.failure_class, ())
    if not probes:
        raise Unfit("no earlier revision has a ready pod, so none is known to work")
    containers = mappings_of(target.pod_spec.get("containers"))
    found = [
        (f"/spec/template/spec/containers/{index}/{field}/{asks}/port", asked, port)
        for index, container in enumerate(containers)
        for field in probes
        for asks in _ASKS
        if (asked := dig(container, field, asks, "port")) is not None
        and (port := _right_port(asked, container, len(containers), snapshot, target)) is not None
    ]
    if len(found) != 1:
        raise Unfit("no probe asks another port than the only one that is declared")
    path, asked, port = found[0]
    action = Action(
        name=Remedy.PATCH_WORKLOAD,
        target=str(target.ref),
        parameters={**identity(target), "operations": json.dumps([{"path": path, "value": port}])},
        risk=Risk.MEDIUM,
        summary=f"Let the {path.split('/')[6]} of {target.ref} ask port {port}, the only one declared, and not {asked}",
        undo=f"let the probe of {target.ref} ask port {asked} again",
        preview=diff_of({path: asked}, {path: port}, str(target.ref)),
    )
    return action, target


def _right_port(
    asked: object, container: Json, containers: int, snapshot: ClusterSnapshot, target: KubeObject
) -> int | None:
    """The port to ask; `None` when the asked one is declared, or what is declared is not one port."""
    ports = mappings_of(container.get("ports"))
    declared = {row.get("containerPort") for row in ports} or (_led_to(snapshot, target) if containers == 1 else set())
    names = {row.get("name") for row in ports if row.get("name")}
    if asked in names or asked in declared or len(declared) != 1:
        return None
    port = declared.pop()
    return port if isinstance(port, int) else None


def _led_to(snapshot: ClusterSnapshot, target: KubeObject) -> set[object]:
    """The ports that Services lead to on its pods."""
    return {
        row.get("targetPort", row.get("port"))
        for service in snapshot.of_kind("Service", target.namespace)
        if (selector := mapping_of(service.spec.get("selector"))) and selects(selector, target.pod_labels)
        for row in mappings_of(service.spec.get("ports"))
    }
