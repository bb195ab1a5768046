"""Reads a run of the local pipeline, and its repository, as evidence."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tasks.clients.pipeline import RunStore
from tasks.clients.workspace import Workspace
from tasks.domain.evidence import Change
from tasks.domain.pipeline import JobOutcome, RunOutcome
from tasks.errors import NotFoundError


class StoredLogs:
    """A `RunReader` over the run store alone, as for a wrapped command, which has no commits to blame."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    def outcome(self, run_id: str) -> RunOutcome:
        """The run with its jobs and steps."""
        return self._store.read(run_id).outcome

    def open_log(self, run_id: str, job: JobOutcome) -> BinaryIO:
        """The raw log of one job."""
        return self._store.open_log(run_id, job.log_ref)

    def reports(self, run_id: str, job: JobOutcome) -> Iterator[tuple[str, bytes]]:
        """What the job wrote as reports, by name."""
        for name in job.report_refs:
            yield name, self._store.read_report(run_id, name)

    def history(self, _run: RunOutcome) -> tuple[RunOutcome, ...]:
        """None: one command's past says nothing about another's."""
        return ()

    def changes(self, _good: str | None, _bad: str) -> tuple[Change, ...]:
        """None."""
        return ()


class LocalRunReader(StoredLogs):
    """A `RunReader` over the run store and the git repository that the run was made from."""

    def __init__(self, store: RunStore, workspace: Workspace, run_id: str) -> None:
        super().__init__(store)
        self._workspace = workspace
        self._stored = store.read(run_id)

    @property
    def repository_path(self) -> Path:
        """Where the repository is.

        Raises:
            NotFoundError: it is no longer there.
        """
        path = Path(self._stored.repository_path)
        if not path.is_dir():
            raise NotFoundError(f"the repository of run {self._stored.outcome.run_id} is no longer at {path}")
        return path

    def history(self, run: RunOutcome) -> tuple[RunOutcome, ...]:
        """The other runs of the same workflow on this machine, newest first."""
        runs = self._store.history(run.repository, run.workflow)
        return tuple(other for other in runs if other.run_id != run.run_id)

    def changes(self, good: str | None, bad: str) -> tuple[Change, ...]:
        """The commits between the two, newest first."""
        return self._workspace.changes_between(self.repository_path, good, bad)
