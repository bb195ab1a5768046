"""Failures as senders tell of them, for tests that are about something else."""

from datetime import datetime
from typing import Any

from tasks.domain.incident import ClusterTarget, Signal, SignalKind, SignalSource


def ci_signal(at: datetime, **other: Any) -> Signal:
    """A run of the local pipeline that failed."""
    told = {"delivery_id": "d", "repository": "local/shop", "branch": "main", "commit": "a" * 40, "title": "CI"}
    kinds = {"source": SignalSource.PIPELINE, "kind": SignalKind.CI_RUN}
    return Signal.model_validate({**kinds, **told, "occurred_at": at, **other})


def cluster_signal_of(at: datetime, name: str = "cart", kind: str = "Deployment", **other: Any) -> Signal:
    """An object in the namespace `shop` that does not come out."""
    told = {"delivery_id": "d", "repository": "local/cluster", "branch": "", "commit": "", "title": "t"}
    kinds = {"source": SignalSource.CLUSTER, "kind": SignalKind.ROLLOUT}
    place = ClusterTarget(namespace="shop", kind=kind, name=name)
    return Signal.model_validate({**kinds, **told, "cluster": place, "occurred_at": at, **other})
