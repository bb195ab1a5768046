"""The Prefect task of proof: never cached, because yesterday's proof proves nothing."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.domain.outcome import Verification
from tasks.domain.story import Triage
from tasks.errors import PermanentError
from tasks.settings import Settings
from tasks.verify.checks import verify_by_rerun


@task(task_run_name="prove the fix", cache_policy=NO_CACHE)
def prove(triage: Triage, checkout: str, commit: str) -> Verification:
    """Run the failed jobs again in a checkout that holds the fix."""
    settings = Settings()
    reference = triage.incident.signal.run
    if reference is None:
        raise PermanentError("the signal names no run, so nothing can be proven")
    store = RunStore(settings.runs_root)
    run = store.read(reference.run_id).outcome
    pipeline = LocalPipeline(store, default_step_timeout_seconds=settings.step_timeout_seconds)
    verification = verify_by_rerun(
        pipeline, checkout=Path(checkout), run=run, failed_jobs=run.failed_jobs, commit=commit
    )
    Ledger.shared(settings.ledger_url).incidents.write(
        triage.incident.id, EntryKind.VERIFICATION, verification, at=datetime.now(UTC)
    )
    return verification
