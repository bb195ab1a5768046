"""Pipeline: runs a workflow of a repository on this machine, on a commit of its own in a worktree of its own."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tasks.clients.pipeline import LocalPipeline, RunStore
from tasks.clients.workspace import Workspace
from tasks.domain.pipeline import RunOutcome
from tasks.settings import Settings


def local_name(repository: Path) -> str:
    """The `owner/name` of a local repository: the owner is always `local`."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", repository.resolve().name).strip("-.")
    return f"local/{name or 'repository'}"


def run_in_worktree(
    settings: Settings,
    repository: Path,
    workflow: str,
    *,
    ref: str,
    job_keys: tuple[str, ...] = (),
    on_line: Callable[[str], None] | None = None,
) -> RunOutcome:
    """Run a workflow on a commit in a worktree of its own; uncommitted work is neither used nor touched."""
    workspace = Workspace(settings.worktrees_root)
    commit = workspace.head(repository, ref)
    branch = workspace.branch_of(repository, ref)
    name = f"ci-{commit[:10]}-{datetime.now(UTC):%H%M%S%f}"
    checkout = workspace.prepare(repository, name=name, commit=commit)
    try:
        return local_pipeline(settings).run(
            checkout,
            workflow,
            repository=local_name(repository),
            repository_path=repository.resolve(),
            branch=branch,
            commit=commit,
            job_keys=job_keys or None,
            on_line=on_line,
        )
    finally:
        workspace.remove(repository, name)


def local_pipeline(settings: Settings) -> LocalPipeline:
    """The local pipeline as the settings describe it."""
    return LocalPipeline(
        RunStore(settings.runs_root),
        default_step_timeout_seconds=settings.step_timeout_seconds,
        log_max_bytes=settings.log_max_bytes,
    )
