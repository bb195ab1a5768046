"""A node that is made for a test and has no kubelet."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tasks.clients.kubernetes.cluster import Cluster
from tasks.domain.cluster import ObjectRef

_ROOM = {"cpu": "4", "memory": "8Gi", "pods": "110"}


@contextmanager
def node_without_kubelet(cluster: Cluster, name: str, spec: dict[str, Any]) -> Iterator[ObjectRef]:
    """A node with the label `pool: NAME` that is ready as long as nobody misses its kubelet, which takes the cluster over
    half a minute."""
    labels = {"pool": name}
    made = cluster.create(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec}
    )
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    status = [
        {"op": "add", "path": "/status", "value": {"conditions": [ready], "capacity": _ROOM, "allocatable": _ROOM}}
    ]
    try:
        cluster.connection.request(
            "PATCH", f"/api/v1/nodes/{name}/status", body=status, content_type="application/json-patch+json"
        )
        yield made.ref
    finally:
        cluster.delete(made.ref, uid=str(made.raw["metadata"]["uid"]))
