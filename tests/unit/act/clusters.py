"""A heal in a cluster at the moment of acting, against an API server in this process."""

from datetime import UTC, datetime
from typing import Any

from tasks.act import ClusterContext
from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import KubeObject
from tasks.domain.cluster_state import state_digest
from tasks.domain.incident import ClusterTarget, Incident, Signal, SignalKind, SignalSource, open_incident
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tasks.settings import KubernetesSettings

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def incident_of(namespace: str = "shop", name: str = "cart") -> Incident:
    signal = Signal(
        source=SignalSource.CLUSTER,
        kind=SignalKind.ROLLOUT,
        delivery_id="cluster-1",
        repository="local/cluster",
        branch="",
        commit="",
        title="broken",
        cluster=ClusterTarget(namespace=namespace, kind="Deployment", name=name),
        occurred_at=NOW,
    )
    return open_incident(signal, now=NOW)


def action_on(name: Remedy, item: KubeObject, risk: Risk = Risk.MEDIUM, **more: str) -> Action:
    identity = {"kind": item.kind, "namespace": item.namespace, "name": item.name, "state": state_digest(item)}
    return Action(
        name=name, target=str(item.ref), parameters={**identity, **more}, risk=risk, summary="Change it", undo="back"
    )


def context_for(cluster: Cluster, action: Action, **settings: Any) -> ClusterContext:
    incident = incident_of()
    plan = Plan(
        incident_id=incident.id,
        playbook="k8s.job",
        rationale="r",
        actions=(action,),
        target_state=action.parameters.get("state", ""),
    )
    return ClusterContext(cluster=cluster, incident=incident, plan=plan, settings=KubernetesSettings(**settings))


def raw(kind: str, name: str, *, namespace: str = "shop", metadata: Any = None, **rest: Any) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"kind": kind, "metadata": {"name": name, **place, **(metadata or {})}, **rest}


def owned_by(kind: str, name: str) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "controller": True}]}
