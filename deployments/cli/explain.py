"""Explains one failed run on the terminal: evidence and diagnosis, without a server and without changing anything."""

from datetime import UTC, datetime

from rich.console import Console

from deployments.cli.render import render_diagnosis
from tasks.clients.pipeline import RunStore
from tasks.collect.ci_run import read_ci_run
from tasks.collect.local_run import StoredLogs
from tasks.diagnose import diagnose, signatures
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.pipeline import RunOutcome


def explain_run(store: RunStore, outcome: RunOutcome, *, as_json: bool) -> None:
    """Print why the run failed, on standard error, so that the command's own output stays what it was."""
    started = datetime.now(UTC)
    evidence = read_ci_run(StoredLogs(store), outcome.run_id, signatures())
    diagnosis = diagnose(evidence, repository=outcome.repository, workflow=outcome.workflow)
    console = Console(stderr=True)
    if as_json:
        console.print_json(_document(evidence, diagnosis))
        return
    seconds = (datetime.now(UTC) - started).total_seconds()
    console.rule("healflow", align="left", style="dim")
    render_diagnosis(diagnosis, evidence, console)
    console.print(f"log: run {outcome.run_id}, read in {seconds:.2f} s", style="dim")


def _document(evidence: Evidence, diagnosis: Diagnosis) -> str:
    return f'{{"diagnosis": {diagnosis.model_dump_json()}, "evidence": {evidence.model_dump_json()}}}'
