"""Reads the state of a Kubernetes cluster: from a folder, or from the cluster itself."""

from tasks.clients.kubernetes.bulk import in_bulk
from tasks.clients.kubernetes.capture import capture_cluster
from tasks.clients.kubernetes.cluster import Cluster
from tasks.clients.kubernetes.folder import read_snapshot_folder
from tasks.clients.kubernetes.taking_over import Applied, apply_over_own
from tasks.clients.kubernetes.writing import write_snapshot_folder

__all__ = [
    "Applied",
    "Cluster",
    "apply_over_own",
    "capture_cluster",
    "in_bulk",
    "read_snapshot_folder",
    "write_snapshot_folder",
]
