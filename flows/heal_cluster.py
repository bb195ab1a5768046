"""Opens an incident for each cause in a live cluster, so that the dispatcher hands it to the heal flow."""

from datetime import datetime

from flows.opening import open_unless_known
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.incident import ClusterTarget, Incident, Signal, SignalKind, SignalSource
from tasks.settings import Settings


def open_cluster_incidents(settings: Settings, found: ClusterExplanation, *, now: datetime) -> tuple[Incident, ...]:
    """The incidents of the causes; a cause whose target is being healed already keeps its incident.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    signals = [cluster_signal(cause, now=now) for cause in found.causes]
    return open_unless_known(settings, signals, same=lambda signal: signal.cluster, now=now)


def cluster_signal(cause: ClusterCause, *, now: datetime) -> Signal:
    """A cause that was found by looking, as a signal."""
    target = cause.target
    return Signal(
        source=SignalSource.CLUSTER,
        kind=SignalKind.ROLLOUT,
        delivery_id=f"cluster-{cause.diagnosis.fingerprint}-{now:%Y%m%dT%H%M%S%f}",
        repository="local/cluster",
        branch="",
        commit="",
        title=cause.diagnosis.cause[:200],
        cluster=ClusterTarget(namespace=target.namespace, kind=target.kind, name=target.name),
        occurred_at=now,
    )
