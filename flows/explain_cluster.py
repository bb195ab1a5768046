"""Explain a cluster: from its captured state to what is wrong in it, without reaching it or changing anything."""

from pathlib import Path

from tasks.clients.kubernetes.folder import read_snapshot_folder
from tasks.collect.cluster import redact_snapshot
from tasks.diagnose.cluster import diagnose_cluster
from tasks.domain.cluster_cause import ClusterExplanation


def explain_snapshot(folder: Path, *, namespace: str | None = None) -> ClusterExplanation:
    """The causes in a folder of captured state, the likeliest first.

    Raises:
        HealflowError: the folder cannot be read.
    """
    return diagnose_cluster(redact_snapshot(read_snapshot_folder(folder)), namespace=namespace)
