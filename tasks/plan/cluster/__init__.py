"""Drafts plans for failures in a cluster."""

from tasks.plan.cluster.draft import draft_cluster_plan
from tasks.plan.cluster.playbooks import CLUSTER_PLAYBOOKS
from tasks.plan.cluster.registry import BOUNDED_DRAFTERS, CLUSTER_DRAFTERS

__all__ = ["BOUNDED_DRAFTERS", "CLUSTER_DRAFTERS", "CLUSTER_PLAYBOOKS", "draft_cluster_plan"]
