"""Reads the evidence of a failed CI run: its logs, what changed since the last green run, and its neighbours."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Protocol

from tasks.collect.ci_logs import LogScan, number_evidence, scan_log
from tasks.collect.scans import HEAD_BYTES, looks_like_scan, parse_scan, with_scans
from tasks.domain.evidence import Change, Evidence, EvidenceLine, TestHistory, UnreadableSource
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome
from tasks.domain.signature import Signature
from tasks.domain.vulnerability import ScanReport
from tasks.errors import HealflowError


class RunReader(Protocol):
    """Whoever ran the workflow: the local pipeline, or GitHub."""

    def outcome(self, run_id: str) -> RunOutcome:
        """The run with its jobs and steps."""
        ...

    def open_log(self, run_id: str, job: JobOutcome) -> BinaryIO:
        """The raw log of one job, to be closed by the caller; raises a HealflowError when there is none."""
        ...

    def reports(self, run_id: str, job: JobOutcome) -> Iterator[tuple[str, bytes]]:
        """Files that the job left and that may be a scanner's report, by name."""
        ...

    def history(self, run: RunOutcome) -> tuple[RunOutcome, ...]:
        """Earlier and later runs of the same workflow, newest first, `run` itself not among them."""
        ...

    def changes(self, good: str | None, bad: str) -> tuple[Change, ...]:
        """The commits after `good` up to and with `bad`; only `bad` itself when `good` is `None`."""
        ...


Remarks = Callable[[JobOutcome], str]
"""What was remarked on a failed job besides its log, a line each."""


def read_ci_run(
    reader: RunReader, run_id: str, signatures: Sequence[Signature], *, remarks: Remarks | None = None
) -> Evidence:
    """All evidence of one run; a source that cannot be read is listed, not fatal.

    Raises:
        HealflowError: the run itself cannot be read.
    """
    run = reader.outcome(run_id)
    unreadable: list[UnreadableSource] = []
    scans = _scan_logs(reader, run, signatures, unreadable)
    if remarks is not None:
        scans += _scan_remarks(remarks, run, scans, signatures, unreadable)
    history = _read_history(reader, run, unreadable)
    changes = _read_changes(reader, run, history, unreadable)
    reports = _read_reports(reader, run, unreadable)
    evidence = Evidence(
        lines=number_evidence(scans),
        jobs=run.jobs,
        changes=changes,
        history=history,
        unreadable=tuple(unreadable),
        truncated=any(scan.truncated for scan in scans),
    )
    return with_scans(evidence, reports) if reports else evidence


def _read_reports(reader: RunReader, run: RunOutcome, unreadable: list[UnreadableSource]) -> list[ScanReport]:
    """What scanners of the failed jobs wrote; other files that a job leaves are passed over."""
    reports = []
    for job in run.failed_jobs:
        code = job.failed_step.exit_code if job.failed_step is not None else None
        source = f"reports:{job.name}"
        try:
            for name, raw in reader.reports(run.run_id, job):
                source = f"scan:{name}"
                if looks_like_scan(raw[:HEAD_BYTES]):
                    reports.append(parse_scan(raw, source=name, exit_code=code))
        except HealflowError as error:
            unreadable.append(UnreadableSource(source=source, reason=str(error)))
    return reports


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


def _scan_remarks(
    remarks: Remarks,
    run: RunOutcome,
    logs: Sequence[LogScan],
    signatures: Sequence[Signature],
    unreadable: list[UnreadableSource],
) -> list[LogScan]:
    """What the logs do not say already; a remark has no line number."""
    quoted = "\n".join(line.text for scan in logs for line in scan.lines)
    scans = []
    for job in run.failed_jobs:
        source = f"annotation:{job.name}"
        try:
            text = remarks(job)
        except HealflowError as error:
            unreadable.append(UnreadableSource(source=source, reason=str(error)))
            continue
        scan = scan_log(io.BytesIO(text.encode()), source=source, signatures=signatures)
        new = tuple(_unnumbered(line) for line in scan.lines if line.text.strip() not in quoted)
        if new:
            scans.append(scan.model_copy(update={"lines": new}))
    return scans


def _unnumbered(line: EvidenceLine) -> EvidenceLine:
    return line.model_copy(update={"line_number": None})


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
