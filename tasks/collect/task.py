"""The Prefect task of collecting: outside text comes in here, redacted and bounded, and nowhere else."""

from datetime import UTC, datetime

from prefect import task

from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Workspace
from tasks.collect.ci_run import read_ci_run
from tasks.collect.local_run import LocalRunReader
from tasks.domain.evidence import Evidence
from tasks.domain.incident import Incident, SignalSource
from tasks.domain.signature import Signature
from tasks.errors import PermanentError
from tasks.retrying import RETRYING
from tasks.settings import Settings


@task(task_run_name="collect the evidence", persist_result=True, **RETRYING)
def collect_evidence(incident: Incident, signatures: list[Signature]) -> Evidence:
    """All evidence of one incident; sources that cannot be read are listed in it."""
    settings = Settings()
    signal = incident.signal
    if signal.source is not SignalSource.PIPELINE or signal.run is None:
        raise PermanentError(f"runs of {signal.source} cannot be read here yet; the event itself is kept")
    reader = LocalRunReader(RunStore(settings.runs_root), Workspace(settings.worktrees_root), signal.run.run_id)
    evidence = read_ci_run(reader, signal.run.run_id, signatures)
    Ledger.shared(settings.ledger_url).incidents.write(incident.id, EntryKind.EVIDENCE, evidence, at=datetime.now(UTC))
    return evidence
