"""Opens an incident for each cause in a live cluster, so that the dispatcher hands it to the heal flow."""

from datetime import datetime

from flows.opening import Found, open_unless_known
from tasks.domain.cluster_cause import ClusterCause, ClusterExplanation
from tasks.domain.incident import ClusterTarget, Incident, Signal, SignalKind, SignalSource
from tasks.settings import Settings


def open_cluster_incidents(settings: Settings, found: ClusterExplanation, *, now: datetime) -> tuple[Incident, ...]:
    """The incidents of the causes; one whose target is being healed already, as an alert may have told of it or of a
    pod of it, keeps its incident.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    told = [Found(signal=cluster_signal(cause, now=now), suffering=cause.victims) for cause in found.causes]
    return open_unless_known(settings, told, same=lambda signal: signal.cluster, joins=True, now=now)


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
