"""The Prefect tasks of a deploy; what reads is tried again, what applies is not repeated by a cache."""

from datetime import datetime

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.domain.cluster import ObjectRef
from tasks.domain.rollout import Manifests, ObjectRefusal, Preview, ReleaseOrder, Rollout, Smoke, VerifiedRevision
from tasks.retrying import RETRYING
from tasks.rollout import steps
from tasks.settings import Settings


@task(task_run_name="render the release", persist_result=True, **RETRYING)
def render_release(order: ReleaseOrder) -> Manifests:
    """The objects as they would be applied; a run that resumes goes on with the same ones."""
    return steps.render_release(Settings().kubernetes, order)


@task(task_run_name="dry run and difference", cache_policy=NO_CACHE, **RETRYING)
def preview_release(manifests: Manifests) -> Preview:
    """What applying would change, and what would be refused."""
    return steps.preview_release(Settings().kubernetes, manifests)


@task(task_run_name="apply", cache_policy=NO_CACHE, **RETRYING)
def apply_release(manifests: Manifests) -> ObjectRefusal | None:
    """Apply it; applying the same again changes nothing. What is refused ends it."""
    return steps.apply_release(Settings().kubernetes, manifests, tell=get_run_logger().info)


@task(task_run_name="watch the rollout", cache_policy=NO_CACHE, **RETRYING)
def watch_release(manifests: Manifests, timeout_seconds: float) -> tuple[Rollout, ...]:
    """How each workload came out."""
    tell = get_run_logger().info
    return steps.watch_release(Settings().kubernetes, manifests, timeout_seconds=timeout_seconds, tell=tell)


@task(task_run_name="smoke test", cache_policy=NO_CACHE, **RETRYING)
def smoke_test(order: ReleaseOrder, manifests: Manifests) -> Smoke:
    """Whether the door of the release answers."""
    return steps.smoke_test(Settings().kubernetes, order, manifests)


@task(task_run_name="find what this release changed", cache_policy=NO_CACHE, **RETRYING)
def suspects_of(manifests: Manifests, rollouts: tuple[Rollout, ...], door: ObjectRef | None) -> tuple[Rollout, ...]:
    """The workloads that may be to blame for a wrong answer."""
    return steps.suspects_of(Settings(), manifests, rollouts, door)


@task(task_run_name="record the verified revisions", cache_policy=NO_CACHE, **RETRYING)
def record_release(rollouts: tuple[Rollout, ...], commit: str, deployed_at: datetime) -> tuple[VerifiedRevision, ...]:
    """Write them into the ledger."""
    return steps.record_release(Settings(), rollouts, commit=commit, deployed_at=deployed_at)
