"""Restarts the cluster's DNS once when no pod of it is ready: the only change ever made in a protected namespace."""

from collections.abc import Sequence

from pydantic import Field

from tasks.act.cluster_change import ChangeEngine, Operation, TargetParameters, change_spec, pointer_step
from tasks.act.context import ClusterContext
from tasks.domain.cluster import KubeObject, ObjectRef, dig
from tasks.domain.cluster_state import CLUSTER_DNS, RESTARTED_FOR
from tasks.domain.plan import Remedy, Risk
from tasks.errors import ForbiddenError, PermanentError


class RestartParameters(TargetParameters):
    """The DNS Deployment, and the failure that it is restarted for."""

    fingerprint: str = Field(pattern=r"^[0-9a-f]{8,64}$")


def _allow(context: ClusterContext, ref: ObjectRef) -> None:
    """The exception to protected namespaces, and none to the list of those in which something may be changed."""
    if ref != CLUSTER_DNS:
        raise ForbiddenError(f"{ref} is not the cluster's DNS")
    allowed = context.settings.namespaces
    if allowed and ref.namespace not in allowed:
        raise ForbiddenError(f"{ref}: changes are allowed in {', '.join(allowed)} only")


def _derive(context: ClusterContext, wanted: RestartParameters, live: KubeObject) -> Sequence[Operation]:
    if live.labels.get("k8s-app") != "kube-dns":
        raise ForbiddenError(f"{live.ref} is not the cluster's DNS")
    mark = f"{wanted.fingerprint}.{context.incident.id}"
    before = str(dig(live.pod_template, "metadata", "annotations", RESTARTED_FOR) or "")
    if before != mark:
        if before.startswith(wanted.fingerprint + "."):
            raise ForbiddenError(f"{live.ref} was restarted for this failure before; a person has to look")
        if not live.spec.get("replicas", 1) or live.status.get("readyReplicas"):
            raise PermanentError(f"{live.ref} is not to be restarted: it has ready pods, or wants none")
    return (Operation(path=f"/spec/template/metadata/annotations/{pointer_step(RESTARTED_FOR)}", value=mark),)


SPEC = change_spec(
    Remedy.RESTART_COREDNS,
    Risk.MEDIUM,
    ChangeEngine(
        parameters=RestartParameters, kinds=("Deployment",), derive=_derive, allow=_allow, done="was restarted"
    ),
    only=CLUSTER_DNS,
)
