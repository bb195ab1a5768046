"""Explains one failed run on the terminal: evidence and diagnosis, without a server and without changing anything."""

from datetime import UTC, datetime
from typing import BinaryIO

from rich.console import Console

from deployments.cli.render import render_diagnosis
from tasks.clients.pipeline import RunStore
from tasks.collect.ci_run import read_ci_run
from tasks.diagnose import diagnose, signatures
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Change, Evidence
from tasks.domain.pipeline import JobOutcome, RunOutcome


class _LogsOnly:
    """A `RunReader` over the store alone: a wrapped command has no commits to blame."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    def outcome(self, run_id: str) -> RunOutcome:
        return self._store.read(run_id).outcome

    def open_log(self, run_id: str, job: JobOutcome) -> BinaryIO:
        return self._store.open_log(run_id, job.log_ref)

    def history(self, _run: RunOutcome) -> tuple[RunOutcome, ...]:
        return ()

    def changes(self, _good: str | None, _bad: str) -> tuple[Change, ...]:
        return ()


def explain_run(store: RunStore, outcome: RunOutcome, *, as_json: bool) -> None:
    """Print why the run failed, on standard error, so that the command's own output stays what it was."""
    started = datetime.now(UTC)
    evidence = read_ci_run(_LogsOnly(store), outcome.run_id, signatures())
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
