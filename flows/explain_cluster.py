"""Explain a cluster: from its state, captured or live, to what is wrong in it, without changing anything."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tasks.clients.kubernetes import Cluster, in_bulk, read_snapshot_folder, write_snapshot_folder
from tasks.collect.cluster import read_state, redact_snapshot
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.cluster_cause import ClusterExplanation
from tasks.errors import TransientError
from tasks.settings import KubernetesSettings

Tell = Callable[[str], None]


def explain_snapshot(folder: Path, *, namespace: str | None = None) -> ClusterExplanation:
    """The causes in a folder of captured state, the likeliest first.

    Raises:
        HealflowError: the folder cannot be read.
    """
    with in_bulk():
        snapshot = redact_snapshot(read_snapshot_folder(folder))
    return diagnose_cluster(snapshot, namespace=namespace)


def explain_live_cluster(
    settings: KubernetesSettings, *, namespace: str | None, now: datetime, tell: Tell = lambda _: None
) -> ClusterExplanation:
    """The causes in a namespace of the cluster that the settings name, or in all of it; that it cannot be reached is
    a cause, too.

    Raises:
        HealflowError: there is no kubeconfig or no such namespace, or the account is refused.
    """
    return diagnose_cluster(read_cluster(settings, namespace=namespace, now=now, tell=tell), namespace=namespace)


def save_cluster(
    settings: KubernetesSettings, folder: Path, *, namespace: str | None, now: datetime, version: str, tell: Tell
) -> ClusterSnapshot:
    """Write the redacted state of a namespace or of the cluster into a folder.

    Raises:
        TransientError: the API server cannot be reached.
        HealflowError: the state cannot be read, or the folder cannot be written.
    """
    snapshot = read_cluster(settings, namespace=namespace, now=now, tell=tell)
    if not snapshot.objects and snapshot.unreadable:
        raise TransientError(snapshot.unreadable[0].reason)
    write_snapshot_folder(snapshot, folder, version=version)
    return snapshot


def read_cluster(
    settings: KubernetesSettings, *, namespace: str | None, now: datetime, tell: Tell = lambda _: None
) -> ClusterSnapshot:
    """The redacted state of a namespace or of the cluster.

    Raises:
        HealflowError: there is no kubeconfig or no such namespace, or the account is refused.
    """
    return read_namespaces(settings, None if namespace is None else (namespace,), now=now, tell=tell)


def read_namespaces(
    settings: KubernetesSettings, namespaces: tuple[str, ...] | None, *, now: datetime, tell: Tell = lambda _: None
) -> ClusterSnapshot:
    """The same for several namespaces, or for the whole cluster when `None`; the connection cannot write.

    Raises:
        HealflowError: there is no kubeconfig or no such namespace, or the account is refused.
    """
    with Cluster.from_settings(settings, read_only=True) as cluster:
        return read_state(cluster, namespaces, now=now, tell=tell)
