"""Workflow runs: their attempts, jobs, steps and annotations, their neighbours, and the re-run of what failed."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from tasks.clients.github.connection import Connection, check_commit, check_number, repository_path
from tasks.clients.github.failures import known_form, write_or_find
from tasks.domain.code_host import Annotation, FailedRun, HostedRun
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome, StepOutcome
from tasks.errors import ConflictError, TransientError

MAX_JOBS, MAX_NEIGHBOURS, MAX_ANNOTATIONS, MAX_ATTEMPTS = 500, 100, 50, 10
"""GitHub keeps at most 50 annotations a step, and a matrix has at most 256 jobs."""
LONGEST = timedelta(hours=6)
READ, WRITE = "actions: read", "actions: write"
_NOT_JOB_KEY = " ("
_LEVELS = ("notice", "warning", "failure")


class Runs:
    """Reads runs and re-runs their failed jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, repository: str, run_id: str, *, attempt: int | None = None) -> HostedRun:
        """One run; its newest attempt when none is named. A running one has no conclusion yet."""
        path = f"{repository_path(repository)}/actions/runs/{check_number(run_id)}"
        path += f"/attempts/{attempt}" if attempt is not None else ""
        what = f"read the run {run_id} of {repository}"
        document = self._connection.get(path, what=what, needs=READ)
        with known_form(what):
            return _run(document)

    def of_commit(self, repository: str, commit: str) -> tuple[HostedRun, ...]:
        """The runs of one commit, newest first, each at its newest attempt."""
        path, what = f"{repository_path(repository)}/actions/runs", f"read the runs of {commit[:12]} in {repository}"
        query = {"head_sha": check_commit(commit)}
        listed = self._connection.pages(path, what=what, key="workflow_runs", needs=READ, limit=MAX_NEIGHBOURS, **query)
        with known_form(what):
            return tuple(sorted((_run(one) for one in listed), key=lambda run: run.started_at, reverse=True))

    def failed_since(self, repository: str, since: datetime) -> tuple[FailedRun, ...]:
        """The runs that ended badly since then, at their newest attempt, the oldest first.

        Of runs that took longer than six hours, which is the most that a job of GitHub's own runners may take, those
        are not found that began before.
        """
        path, what = repository_path(repository), f"read the failed runs of {repository}"
        begun = f">={(since - LONGEST).strftime('%Y-%m-%dT%H:%M:%SZ')}"
        listed = self._connection.pages(
            f"{path}/actions/runs", what=what, key="workflow_runs", needs=READ, status="completed", created=begun
        )
        with known_form(what):
            failed = [
                one for one in listed if Conclusion(one["conclusion"]).failed and _moment(one["updated_at"]) >= since
            ]
        if not failed:
            return ()
        home = self._connection.get(path, what=what, needs=READ)
        return tuple(_failed(one, home) for one in sorted(failed, key=lambda one: str(one["updated_at"])))

    def outcome(self, run: HostedRun, *, so_far: bool = False) -> RunOutcome:
        """The attempt with its jobs and steps; with `so_far`, of one that goes on, those that have ended.

        Raises:
            TransientError: it has not ended yet.
        """
        if so_far and not run.ended:
            jobs = self.jobs(run)
            failed = any(job.conclusion.failed for job in jobs)
            return _outcome(run, Conclusion.FAILURE if failed else Conclusion.NEUTRAL, jobs)
        if not run.ended or run.conclusion is None:
            raise TransientError(f"run {run.run_id} of {run.repository} is still {run.status}", retry_after_seconds=30)
        return _outcome(run, run.conclusion, self.jobs(run))

    def jobs(self, run: HostedRun) -> tuple[JobOutcome, ...]:
        """The jobs of this attempt that have ended, in GitHub's order. `log_ref` is the job's number.

        GitHub does not tell a job's key in the workflow file: `key` is its name without the values of the matrix.
        """
        path = f"{repository_path(run.repository)}/actions/runs/{check_number(run.run_id)}/attempts/{run.attempt}/jobs"
        what = f"read the jobs of run {run.run_id} of {run.repository}"
        listed = self._connection.pages(path, what=what, key="jobs", needs=READ, limit=MAX_JOBS)
        with known_form(what):
            return tuple(_job(job) for job in listed if job.get("conclusion"))

    def annotations(self, repository: str, job: JobOutcome) -> tuple[Annotation, ...]:
        """What the job remarked, at most 50."""
        path = f"{repository_path(repository)}/check-runs/{check_number(job.log_ref)}/annotations"
        what = f"read the annotations of job {job.name!r} of {repository}"
        listed = self._connection.pages(path, what=what, needs="checks: read", limit=MAX_ANNOTATIONS)
        with known_form(what):
            return tuple(_annotation(one) for one in listed)

    def neighbours(self, run: HostedRun) -> tuple[RunOutcome, ...]:
        """The other attempts of the run, and other ended runs of the same workflow, branch and head repository, newest
        first and without their jobs: the newest hundred, and as many successful ones.

        A fork's branch of the same name is another branch.
        """
        found: dict[tuple[str, int], HostedRun] = {}
        for other in (*self._attempts(run), *self._listed(run, "completed"), *self._listed(run, "success")):
            if other.ended and other.head_repository == run.head_repository:
                found.setdefault((other.run_id, other.attempt), other)
        found.pop((run.run_id, run.attempt), None)
        newest_first = sorted(found.values(), key=lambda other: other.started_at, reverse=True)
        return tuple(_outcome(other, other.conclusion, ()) for other in newest_first if other.conclusion)

    def _attempts(self, run: HostedRun) -> Iterator[HostedRun]:
        newest = self.read(run.repository, run.run_id)
        yield newest
        for attempt in range(newest.attempt - 1, max(0, newest.attempt - 1 - MAX_ATTEMPTS), -1):
            if attempt != run.attempt:
                yield self.read(run.repository, run.run_id, attempt=attempt)

    def _listed(self, run: HostedRun, status: str) -> tuple[HostedRun, ...]:
        path = f"{repository_path(run.repository)}/actions/workflows/{run.workflow_id}/runs"
        what = f"read the history of {run.workflow!r} in {run.repository}"
        query = {"branch": run.branch, "status": status}
        listed = self._connection.pages(path, what=what, key="workflow_runs", needs=READ, limit=MAX_NEIGHBOURS, **query)
        with known_form(what):
            return tuple(_run(one) for one in listed)

    def workflow_text(self, run: HostedRun) -> bytes:
        """The workflow file as it stood at the commit of the run.

        Raises:
            NotFoundError: there is no such file at that commit.
        """
        from urllib.parse import quote

        file = run.workflow_path.partition("@")[0]
        path = f"{repository_path(run.repository)}/contents/{quote(file)}"
        what = f"read {file} of {run.repository}"
        document = self._connection.get(path, what=what, needs="contents: read", ref=check_commit(run.commit))
        with known_form(what):
            return base64.b64decode(document["content"])

    def rerun_failed_jobs(self, run: HostedRun) -> int:
        """Run the failed jobs of the newest attempt once more; returns the number of the new attempt.

        Raises:
            ConflictError: the run was started again since `run` was read; nothing was started here.
        """
        now = self.read(run.repository, run.run_id)
        if now.attempt != run.attempt or not now.ended:
            raise ConflictError(
                f"run {run.run_id} is at attempt {now.attempt} ({now.status}), not at the ended attempt {run.attempt}: "
                "someone has started it again"
            )
        path = f"{repository_path(run.repository)}/actions/runs/{check_number(run.run_id)}/rerun-failed-jobs"

        def start() -> int:
            self._connection.send("POST", path, {}, what=f"re-run the failed jobs of run {run.run_id}", needs=WRITE)
            return run.attempt + 1

        return write_or_find(start, lambda: self._newer_attempt(run))

    def _newer_attempt(self, run: HostedRun) -> int | None:
        attempt = self.read(run.repository, run.run_id).attempt
        return attempt if attempt > run.attempt else None


def _run(document: Mapping[str, Any]) -> HostedRun:
    origin = document.get("head_repository")
    conclusion = document.get("conclusion")
    home = str(document["repository"]["full_name"])
    pulls = [one for one in document.get("pull_requests") or () if _is_home(one, document["repository"])]
    return HostedRun(
        run_id=str(document["id"]),
        attempt=document.get("run_attempt") or 1,
        repository=home,
        head_repository=str(origin["full_name"]) if origin else None,
        workflow_id=document["workflow_id"],
        workflow=str(document.get("name") or document.get("path") or "workflow"),
        workflow_path=str(document.get("path") or ""),
        event=str(document.get("event") or ""),
        branch=str(document.get("head_branch") or ""),
        commit=str(document["head_sha"]),
        status=str(document.get("status") or ""),
        conclusion=Conclusion(conclusion) if conclusion else None,
        pull_request_numbers=tuple(int(one["number"]) for one in pulls),
        url=str(document.get("html_url") or ""),
        started_at=_moment(document.get("run_started_at") or document["created_at"]),
        updated_at=_moment(document["updated_at"]),
    )


def _failed(document: Mapping[str, Any], home: Mapping[str, Any]) -> FailedRun:
    event = {"action": "completed", "workflow_run": document, "repository": home}
    return FailedRun(
        run_id=str(document["id"]), attempt=document.get("run_attempt") or 1, body=json.dumps(event).encode()
    )


def _is_home(pull_request: Mapping[str, Any], home: Mapping[str, Any]) -> bool:
    """Whether it asks to merge into the run's own repository; by number, because names can change."""
    return bool(pull_request["base"]["repo"]["id"] == home["id"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _outcome(run: HostedRun, conclusion: Conclusion, jobs: tuple[JobOutcome, ...]) -> RunOutcome:
    return RunOutcome(
        run_id=run.run_id,
        attempt=run.attempt,
        repository=run.repository,
        workflow=run.workflow,
        workflow_path=run.workflow_path.partition("@")[0],
        branch=run.branch,
        commit=run.commit,
        conclusion=conclusion,
        jobs=jobs,
        started_at=run.started_at,
        seconds=max(0.0, (run.updated_at - run.started_at).total_seconds()),
    )


def _job(document: Mapping[str, Any]) -> JobOutcome:
    name = str(document["name"])
    return JobOutcome(
        key=name.partition(_NOT_JOB_KEY)[0],
        name=name,
        conclusion=Conclusion(document["conclusion"]),
        steps=tuple(_step(step) for step in document.get("steps") or () if step.get("conclusion")),
        log_ref=str(document["id"]),
    )


def _step(document: Mapping[str, Any]) -> StepOutcome:
    started, ended = document.get("started_at"), document.get("completed_at")
    seconds = (_moment(ended) - _moment(started)).total_seconds() if started and ended else None
    return StepOutcome(
        number=document["number"],
        name=str(document["name"]),
        conclusion=Conclusion(document["conclusion"]),
        seconds=max(0.0, seconds) if seconds is not None else None,
    )


def _annotation(document: Mapping[str, Any]) -> Annotation:
    level = document.get("annotation_level")
    return Annotation(
        level=level if level in _LEVELS else "notice",
        message=str(document.get("message") or ""),
        title=str(document.get("title") or ""),
        path=str(document.get("path") or ""),
        line=document.get("start_line"),
    )
