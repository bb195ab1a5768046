"""The analyzers of a cluster: one explicit tuple, each a pure function from the snapshot to clues."""

from collections.abc import Callable, Iterator

from tasks.diagnose.analyzers.cluster.access import find_access_faults
from tasks.diagnose.analyzers.cluster.admission import find_refused
from tasks.diagnose.analyzers.cluster.applications import find_complaints
from tasks.diagnose.analyzers.cluster.autoscalers import find_scaling_faults
from tasks.diagnose.analyzers.cluster.budgets import find_budget_faults
from tasks.diagnose.analyzers.cluster.commands import find_misspelt_commands
from tasks.diagnose.analyzers.cluster.complaints import find_past_complaints
from tasks.diagnose.analyzers.cluster.contradictions import find_contradictions
from tasks.diagnose.analyzers.cluster.crashes import find_crashes
from tasks.diagnose.analyzers.cluster.deletions import find_stuck_deletions
from tasks.diagnose.analyzers.cluster.entrances import find_entrance_faults
from tasks.diagnose.analyzers.cluster.hardening import find_soft_spots
from tasks.diagnose.analyzers.cluster.images import find_image_faults
from tasks.diagnose.analyzers.cluster.invalid import find_invalid
from tasks.diagnose.analyzers.cluster.jobs import find_job_faults
from tasks.diagnose.analyzers.cluster.memory import find_memory_wishes
from tasks.diagnose.analyzers.cluster.network import find_network_faults
from tasks.diagnose.analyzers.cluster.nodes import find_node_faults
from tasks.diagnose.analyzers.cluster.outdated import find_outdated
from tasks.diagnose.analyzers.cluster.probes import find_failing_probes
from tasks.diagnose.analyzers.cluster.programs import find_broken_programs
from tasks.diagnose.analyzers.cluster.references import find_missing
from tasks.diagnose.analyzers.cluster.resources import find_resource_faults
from tasks.diagnose.analyzers.cluster.rollout import find_stuck_rollouts
from tasks.diagnose.analyzers.cluster.scheduling import find_unscheduled
from tasks.diagnose.analyzers.cluster.scripts import find_told_failures
from tasks.diagnose.analyzers.cluster.services import find_dead_services
from tasks.diagnose.analyzers.cluster.storage import find_storage_faults
from tasks.domain.cluster import ClusterSnapshot
from tasks.domain.cluster_cause import Clue

ANALYZERS: tuple[Callable[[ClusterSnapshot], Iterator[Clue]], ...] = (
    find_node_faults,
    find_missing,
    find_refused,
    find_storage_faults,
    find_image_faults,
    find_crashes,
    find_unscheduled,
    find_failing_probes,
    find_network_faults,
    find_dead_services,
    find_entrance_faults,
    find_access_faults,
    find_scaling_faults,
    find_budget_faults,
    find_stuck_deletions,
    find_outdated,
    find_job_faults,
    find_complaints,
    find_past_complaints,
    find_memory_wishes,
    find_misspelt_commands,
    find_contradictions,
    find_told_failures,
    find_broken_programs,
    find_invalid,
    find_resource_faults,
    find_stuck_rollouts,
    find_soft_spots,
)

__all__ = ["ANALYZERS"]
