"""The store of runs that happened on this machine: a folder for each, with what came of it and a log for each job."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from tasks.clients.pipeline.checkout import HeadCommit
from tasks.domain.base import Noun
from tasks.domain.pipeline import RunOutcome
from tasks.errors import BadInputError, NotFoundError, PermanentError

_RUN_ID = re.compile(r"[1-9][0-9]{9,15}")
_LOG_NAME = re.compile(r"[0-9]{2,4}-[A-Za-z0-9._-]{0,60}\.log")
_REPORT_NAME = re.compile(r"report-[0-9]{2,4}-[A-Za-z0-9._-]{0,60}\.(?:json|sarif)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_RECORD = "run.json"
_MAX_RECORD_BYTES = 33_554_432


class StoredRun(Noun):
    """One run with what its `workflow_run` event needs besides the outcome."""

    outcome: RunOutcome
    repository_path: str
    """The repository on this machine; never sent anywhere."""
    default_branch: str = "main"
    event: str = "push"
    actor: str = "local"
    run_number: int = 1
    head_commit: HeadCommit | None = None
    recorded: bool = True
    """False for a proof of a fix: its logs can be read, but it does not count in the history."""


class RunFolder:
    """The folder of a run that is under way."""

    def __init__(self, run_id: str, path: Path, number: int) -> None:
        self.run_id, self.path, self.number = run_id, path, number
        self._logs, self._reports = 0, 0

    def new_log(self, job_name: str) -> tuple[str, Path]:
        """A file name for one more job's log, safe whatever the job is called, and its path."""
        self._logs += 1
        name = f"{self._logs:02}-{_UNSAFE.sub('-', job_name)[:60].strip('-.')}.log"
        return name, self.path / name

    def keep_reports(self, paths: Iterable[Path]) -> tuple[str, ...]:
        """Copy files that a job wrote; the names that they have here."""
        kept = []
        for path in paths:
            self._reports += 1
            name = f"report-{self._reports:02}-{_UNSAFE.sub('-', path.stem)[:60].strip('-.')}{path.suffix}"
            shutil.copyfile(path, self.path / name, follow_symlinks=False)
            kept.append(name)
        return tuple(kept)


class RunStore:
    """Runs below one folder; a run is whole once its record is written, which happens in one step."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def begin(self, now: datetime) -> RunFolder:
        """Make the folder of a new run. Its id is the time in microseconds: an integer, as GitHub's, that sorts by
        time."""
        self._root.mkdir(parents=True, exist_ok=True)
        number = sum(1 for _ in self._run_ids()) + 1
        run_id = int(now.astimezone(UTC).timestamp() * 1_000_000)
        while True:
            path = self._root / str(run_id)
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                run_id += 1
                continue
            return RunFolder(str(run_id), path, number)

    def write(self, run: StoredRun) -> None:
        """Keep a run; a reader sees the old record or the new one, never a half."""
        folder = self._folder(run.outcome.run_id)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".run-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(run.model_dump_json(indent=1).encode())
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(folder / _RECORD)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def read(self, run_id: str) -> StoredRun:
        """One run.

        Raises:
            BadInputError: `run_id` cannot be the id of a run.
            NotFoundError: there is no such run, or it has not ended.
            PermanentError: its record is damaged.
        """
        path = self._folder(run_id) / _RECORD
        try:
            with path.open("rb") as stream:
                raw = stream.read(_MAX_RECORD_BYTES)
        except FileNotFoundError as error:
            raise NotFoundError(f"There is no finished run {run_id} in {self._root}.") from error
        try:
            return StoredRun.model_validate_json(raw)
        except ValidationError as error:
            raise PermanentError(f"The record of run {run_id} is damaged: remove {path} to forget the run.") from error

    def open_log(self, run_id: str, job_name_or_ref: str) -> BinaryIO:
        """The log of one job, named by its `log_ref`, its name or its key; the caller closes it.

        Raises:
            BadInputError: `run_id` cannot be the id of a run.
            NotFoundError: there is no such run or job, or the job was skipped and has no log.
        """
        jobs = self.read(run_id).outcome.jobs
        for field in ("log_ref", "name", "key"):
            for job in jobs:
                if getattr(job, field) == job_name_or_ref and _LOG_NAME.fullmatch(job.log_ref):
                    return self._open(run_id, job.log_ref)
        raise NotFoundError(f"Run {run_id} has no log of a job {job_name_or_ref!r}.")

    def read_report(self, run_id: str, report_ref: str) -> bytes:
        """A report that a job of the run wrote.

        Raises:
            BadInputError: `run_id` cannot be the id of a run.
            NotFoundError: there is no such run or report.
        """
        if not any(report_ref in job.report_refs for job in self.read(run_id).outcome.jobs):
            raise NotFoundError(f"Run {run_id} has no report {report_ref[:80]!r}.")
        if not _REPORT_NAME.fullmatch(report_ref):
            raise NotFoundError(f"{report_ref[:80]!r} is no name of a report.")
        with self._open(run_id, report_ref) as stream:
            return stream.read()

    def history(self, repository: str, workflow: str, *, limit: int = 200) -> tuple[RunOutcome, ...]:
        """The outcomes of at most `limit` recorded runs, newest first; `workflow` is its name or its path. Damaged
        records are passed over."""
        found: list[RunOutcome] = []
        for run_id in sorted(self._run_ids(), key=int, reverse=True):
            try:
                run = self.read(run_id)
            except PermanentError:
                continue
            outcome = run.outcome
            if (
                run.recorded
                and outcome.repository == repository
                and workflow in (outcome.workflow, outcome.workflow_path)
            ):
                found.append(outcome)
                if len(found) == limit:
                    break
        return tuple(found)

    def _run_ids(self) -> Iterator[str]:
        if self._root.is_dir():
            yield from (path.name for path in self._root.iterdir() if _RUN_ID.fullmatch(path.name))

    def _folder(self, run_id: str) -> Path:
        if not _RUN_ID.fullmatch(run_id):
            raise BadInputError(f"{run_id[:80]!r} is no id of a local run: those are 10 to 16 digits.")
        return self._root / run_id

    def _open(self, run_id: str, log_ref: str) -> BinaryIO:
        try:
            return (self._folder(run_id) / log_ref).open("rb")
        except FileNotFoundError as error:
            raise NotFoundError(f"The log {log_ref} of run {run_id} is gone.") from error
