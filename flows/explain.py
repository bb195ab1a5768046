"""Explain: from a log or a failed run to its cause, without a server and without changing anything."""

from typing import BinaryIO

from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.collect.ci_run import RunReader, read_ci_run
from tasks.diagnose import diagnose, signatures
from tasks.domain.evidence import Evidence
from tasks.domain.story import Explanation


def explain_log(stream: BinaryIO, *, name: str, source: str = "log") -> Explanation:
    """Read one log to its end; `name` stands for the repository in the fingerprint.

    Nobody said that what wrote the log failed: a log that ends well has no cause, whatever else it says.
    """
    scan = scan_log(stream, source=source, signatures=signatures())
    lines = () if scan.passed else number_evidence([scan])
    evidence = Evidence(lines=lines, truncated=scan.truncated)
    return Explanation(
        evidence=evidence,
        diagnosis=diagnose(evidence, repository=name, workflow=name),
        passed=scan.passed,
        bytes_read=scan.bytes_read,
    )


def explain_run(reader: RunReader, run_id: str) -> Explanation:
    """Read a run that failed: all its failed jobs, its history, and what changed since it last passed.

    Raises:
        HealflowError: the run cannot be read.
    """
    run = reader.outcome(run_id)
    evidence = read_ci_run(reader, run_id, signatures())
    return Explanation(
        evidence=evidence,
        diagnosis=diagnose(evidence, repository=run.repository, workflow=run.workflow),
        passed=not run.failed_jobs,
    )
