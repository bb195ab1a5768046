"""Reads the evidence of a failed CI run: its logs, what changed since the last green run, and its neighbours."""

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from tasks.collect.ci_logs import LogScan, number_evidence, scan_log
from tasks.domain.evidence import Change, Evidence, TestHistory, UnreadableSource
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome
from tasks.domain.signature import Signature
from tasks.errors import HealflowError


class RunReader(Protocol):
    """Whoever ran the workflow: the local pipeline, or GitHub."""

    def outcome(self, run_id: str) -> RunOutcome:
        """The run with its jobs and steps."""
        ...

    def open_log(self, run_id: str, job: JobOutcome) -> BinaryIO:
        """The raw log of one job, to be closed by the caller; raises a HealflowError when there is none."""
        ...

    def history(self, run: RunOutcome) -> tuple[RunOutcome, ...]:
        """Earlier and later runs of the same workflow, newest first, `run` itself not among them."""
        ...

    def changes(self, good: str | None, bad: str) -> tuple[Change, ...]:
        """The commits after `good` up to and with `bad`; only `bad` itself when `good` is `None`."""
        ...


def read_ci_run(reader: RunReader, run_id: str, signatures: Sequence[Signature]) -> Evidence:
    """All evidence of one run; a source that cannot be read is listed, not fatal.

    Raises:
        HealflowError: the run itself cannot be read.
    """
    run = reader.outcome(run_id)
    unreadable: list[UnreadableSource] = []
    scans = _scan_logs(reader, run, signatures, unreadable)
    history = _read_history(reader, run, unreadable)
    changes = _read_changes(reader, run, history, unreadable)
    return Evidence(
        lines=number_evidence(scans),
        jobs=run.jobs,
        changes=changes,
        history=history,
        unreadable=tuple(unreadable),
        truncated=any(scan.truncated for scan in scans),
    )


def _scan_logs(
    reader: RunReader, run: RunOutcome, signatures: Sequence[Signature], unreadable: list[UnreadableSource]
) -> list[LogScan]:
    scans = []
    for job in run.failed_jobs:
        source = f"log:{job.name}"
        try:
            with reader.open_log(run.run_id, job) as stream:
                scans.append(scan_log(stream, source=source, signatures=signatures))
        except (HealflowError, OSError) as error:
            unreadable.append(UnreadableSource(source=source, reason=str(error)))
    return scans


def _read_history(reader: RunReader, run: RunOutcome, unreadable: list[UnreadableSource]) -> TestHistory:
    try:
        neighbours = reader.history(run)
    except HealflowError as error:
        unreadable.append(UnreadableSource(source=f"history:{run.workflow}", reason=str(error)))
        return TestHistory()
    same = [other for other in neighbours if other.commit == run.commit]
    green = [
        other
        for other in neighbours
        if other.conclusion is Conclusion.SUCCESS
        and other.branch == run.branch
        and other.commit != run.commit
        and other.started_at < run.started_at
    ]
    return TestHistory(
        passed_on_same_commit=sum(other.conclusion is Conclusion.SUCCESS for other in same),
        failed_on_same_commit=sum(other.conclusion.failed for other in same),
        last_green_commit=green[0].commit if green else None,
    )


def _read_changes(
    reader: RunReader, run: RunOutcome, history: TestHistory, unreadable: list[UnreadableSource]
) -> tuple[Change, ...]:
    try:
        return reader.changes(history.last_green_commit, run.commit)
    except HealflowError as error:
        unreadable.append(UnreadableSource(source=f"change:{run.commit[:12]}", reason=str(error)))
        return ()
