"""Explain: from a log or a failed run to its cause, without a server and without changing anything."""

from typing import BinaryIO

from tasks.clients.github import GithubClient
from tasks.collect.ci_logs import number_evidence, scan_log
from tasks.collect.ci_run import RunReader, read_ci_run
from tasks.collect.github_run import GithubRunReader
from tasks.collect.scans import MAX_REPORT_BYTES, parse_scan, with_scans
from tasks.diagnose import diagnose, signatures
from tasks.domain.code_host import HostedRun
from tasks.domain.evidence import Evidence, TestHistory
from tasks.domain.story import Explanation
from tasks.errors import NotFoundError
from tasks.settings import Settings


def explain_log(stream: BinaryIO, *, name: str, source: str = "log", history: TestHistory | None = None) -> Explanation:
    """Read one log to its end; `name` stands for the repository in the fingerprint.

    Nobody said that what wrote the log failed: a log that ends well has no cause, whatever else it says.
    """
    scan = scan_log(stream, source=source, signatures=signatures())
    lines = () if scan.passed else number_evidence([scan])
    evidence = Evidence(lines=lines, truncated=scan.truncated, history=history or TestHistory())
    return Explanation(
        evidence=evidence,
        diagnosis=diagnose(evidence, repository=name, workflow=name),
        passed=scan.passed,
        bytes_read=scan.bytes_read,
    )


def explain_scan(stream: BinaryIO, *, name: str) -> Explanation:
    """Read one report of a security scanner. Only a whole one without findings has passed.

    Raises:
        BadInputError: it is too large or damaged.
    """
    raw = stream.read(MAX_REPORT_BYTES + 1)
    report = parse_scan(raw, source=name)
    evidence = with_scans(Evidence(), [report])
    return Explanation(
        evidence=evidence,
        diagnosis=diagnose(evidence, repository=report.target or name, workflow=name),
        passed=report.clean,
        bytes_read=len(raw),
    )


def explain_run(reader: RunReader, run_id: str) -> Explanation:
    """Read a run that failed: all its failed jobs, its history, and what changed since it last passed.

    Raises:
        HealflowError: the run cannot be read.
    """
    run = reader.outcome(run_id)
    evidence = read_ci_run(reader, run_id, signatures(), remarks=getattr(reader, "remarks", None))
    unreadable = getattr(reader, "unreadable", ())
    evidence = evidence.model_copy(update={"unreadable": (*unreadable, *evidence.unreadable)})
    return Explanation(
        evidence=evidence,
        diagnosis=diagnose(evidence, repository=run.repository, workflow=run.workflow),
        passed=not run.failed_jobs and not run.conclusion.failed,
    )


def explain_github_run(settings: Settings, repository: str, run_id: str, *, attempt: int | None = None) -> Explanation:
    """Read a run on GitHub, also one that still goes on, as far as its jobs have ended; nothing is written there.

    Raises:
        HealflowError: the run cannot be read; the message says what is missing.
    """
    with GithubClient.from_settings(settings.github) as client:
        return explain_run(GithubRunReader(client, repository, attempt=attempt, so_far=True), run_id)


def failed_runs_of_pull_request(settings: Settings, repository: str, number: int) -> tuple[HostedRun, ...]:
    """The failed runs of the newest commit of a pull request, newest first, one for each workflow.

    Raises:
        NotFoundError: there is none.
    """
    with GithubClient.from_settings(settings.github) as client:
        commit = client.pulls.read(repository, number).head_commit
        newest: dict[int, HostedRun] = {}
        for run in client.runs.of_commit(repository, commit):
            newest.setdefault(run.workflow_id, run)
    failed = tuple(run for run in newest.values() if run.conclusion is not None and run.conclusion.failed)
    if not failed:
        raise NotFoundError(f"no run of the newest commit {commit[:12]} of pull request {number} has failed")
    return failed
