"""The Prefect task of collecting: outside text comes in here, redacted and bounded, and nowhere else."""

from datetime import UTC, datetime

from prefect import task

from tasks.clients.github import GithubClient
from tasks.clients.ledger import EntryKind, Ledger
from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Workspace
from tasks.collect.ci_run import read_ci_run
from tasks.collect.github_run import read_github_run
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
    evidence = _read(settings, incident, signatures)
    Ledger.shared(settings.ledger_url).incidents.write(incident.id, EntryKind.EVIDENCE, evidence, at=datetime.now(UTC))
    return evidence


def _read(settings: Settings, incident: Incident, signatures: list[Signature]) -> Evidence:
    """Through whoever ran it: this machine or GitHub."""
    source, run = incident.signal.source, incident.signal.run
    if run is None:
        raise PermanentError("the signal names no run whose evidence could be read; the event itself is kept")
    if source is SignalSource.GITHUB:
        with GithubClient.from_settings(settings.github) as client:
            return read_github_run(client, incident.signal.repository, run, signatures)
    if source is not SignalSource.PIPELINE:
        raise PermanentError(f"runs of {source} cannot be read; the event itself is kept")
    reader = LocalRunReader(RunStore(settings.runs_root), Workspace(settings.worktrees_root), run.run_id)
    return read_ci_run(reader, run.run_id, signatures)
