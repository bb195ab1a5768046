"""Reads the state of a Kubernetes cluster: from a folder, or from the cluster itself."""

from tasks.clients.kubernetes.folder import read_snapshot_folder

__all__ = ["read_snapshot_folder"]
