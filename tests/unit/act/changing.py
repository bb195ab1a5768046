"""A cart in a cluster that is a fake, and actions on it."""

import json
from datetime import UTC, datetime
from typing import Any

from tasks.act.context import ClusterContext
from tasks.domain.cluster import KubeObject
from tasks.domain.cluster_state import state_digest
from tasks.domain.incident import open_incident
from tasks.domain.plan import Action, Plan, Remedy, Risk
from tasks.settings import KubernetesSettings
from tests.fakes.kubernetes import FakeApiServer, Raw
from tests.fakes.signals import cluster_signal_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CART = "/apis/apps/v1/namespaces/shop/deployments/cart"


def cart(container: Raw | None = None, replicas: int = 2, **metadata: Any) -> Raw:
    first = {"name": "app", "image": "cart:2", **(container or {})}
    return {
        "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "cart", "uid": "u-cart", "generation": 3, **metadata},
        "spec": {
            "replicas": replicas,
            "template": {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [first]}},
        },
    }


def revision(container: Raw, *, owner: str = "cart") -> Raw:
    owners = [{"kind": "Deployment", "name": owner, "controller": True}]
    template = {"metadata": {"labels": {"app": "cart", "pod-template-hash": "1"}}, "spec": {"containers": [container]}}
    metadata = {"namespace": "shop", "name": "cart-1", "uid": "u-1", "generation": 1, "ownerReferences": owners}
    return {"kind": "ReplicaSet", "metadata": metadata, "spec": {"template": template}}


def action_on(server: FakeApiServer, remedy: Remedy, path: str = CART, **parameters: Any) -> Action:
    item = KubeObject(raw=server.objects[path])
    told = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
    identity = {"kind": item.kind, "namespace": item.namespace, "name": item.name, "state": state_digest(item)}
    return Action(
        name=remedy, target=str(item.ref), parameters={**identity, **told}, risk=Risk.MEDIUM, summary="s", undo="u"
    )


def context_of(server: FakeApiServer, action: Action, **settings: Any) -> ClusterContext:
    signal = cluster_signal_of(NOW)
    incident = open_incident(signal, now=NOW)
    plan = Plan(incident_id=incident.id, playbook="p", rationale="r", actions=(action,), target_state="s")
    return ClusterContext(
        cluster=server.cluster(), incident=incident, plan=plan, settings=KubernetesSettings.model_validate(settings)
    )
