"""`healflow run -- CMD…`: wraps any command as a run of one step, kept and logged like every other."""

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tasks.clients.pipeline.checkout import find_default_branch, find_repository, read_branch, read_head_commit
from tasks.clients.pipeline.environment import command_environment
from tasks.clients.pipeline.execute import OnLine
from tasks.clients.pipeline.log import JobLog, StepOutput
from tasks.clients.pipeline.process import StepProcesses
from tasks.clients.pipeline.runs import RunFolder, RunStore, StoredRun
from tasks.domain.pipeline import Conclusion, JobOutcome, RunOutcome, StepOutcome
from tasks.errors import BadInputError

_JOB = "run"
_MAX_TITLE = 200
_MAX_SECONDS = 366 * 24 * 3600.0  # a command of the caller's own is not stopped


def _utc_now() -> datetime:
    return datetime.now(UTC)


def run_command(
    argv: Sequence[str],
    *,
    cwd: Path,
    store: RunStore,
    repository: str,
    on_line: OnLine | None = None,
    clock: Callable[[], datetime] = _utc_now,
) -> RunOutcome:
    """Run a command in `cwd` with the caller's environment and return how it went; its exit code is that of the only
    step.

    The command is never given to a shell. Its lines go to `on_line` as they come. An interruption ends all that it
    started, is kept as a cancelled run, and raised again.

    Raises:
        BadInputError: there is no command, or `cwd` is no folder.
    """
    if not argv or not argv[0]:
        raise BadInputError("There is no command to run; write it after `--`.")
    if any("\0" in word for word in argv):
        raise BadInputError("A command cannot hold a NUL character.")
    if not cwd.is_dir():
        raise BadInputError(f"{cwd} is no folder to run a command in.")
    folder = store.begin(clock())
    log_ref, path = folder.new_log(Path(argv[0]).name)
    step = StepOutcome(number=1, name=_title(argv), conclusion=Conclusion.CANCELLED, command=shlex.join(argv))
    started_at, started = clock(), time.monotonic()
    try:
        with JobLog(path.open("wb"), clock) as log:
            step = _run(argv, cwd, log, step, on_line)
    finally:
        job = JobOutcome(key=_JOB, name=step.name, conclusion=step.conclusion, steps=(step,), log_ref=log_ref)
        stored = _stored(job, folder, cwd, repository, started_at, time.monotonic() - started)
        store.write(stored)
    return stored.outcome


def _title(argv: Sequence[str]) -> str:
    title = " ".join(shlex.join(argv).split())
    return title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 1]}…"


def _run(argv: Sequence[str], cwd: Path, log: JobLog, step: StepOutcome, on_line: OnLine | None) -> StepOutcome:
    log.group(f"Run {step.name}", [f"\x1b[36;1m{line}\x1b[0m" for line in shlex.join(argv).splitlines()])
    log.listen(on_line)
    output, processes, started = StepOutput(log, commands=False), StepProcesses(), time.monotonic()
    try:
        end = processes.run(
            argv,
            cwd=cwd,
            env=command_environment(),
            on_output=output.feed,
            timeout_seconds=_MAX_SECONDS,
            stdin=subprocess.DEVNULL if os.isatty(0) else 0,  # a terminal cannot be shared with another session
        )
    except BaseException:
        log.error("The operation was canceled.")
        raise
    finally:
        output.finish()
        processes.end()
        log.listen(None)
    exit_code = 137 if end.exit_code is None else end.exit_code
    if exit_code != 0:
        log.error(f"Process completed with exit code {exit_code}.")
    return step.model_copy(
        update={
            "conclusion": Conclusion.FAILURE if exit_code else Conclusion.SUCCESS,
            "exit_code": exit_code,
            "seconds": round(time.monotonic() - started, 3),
        }
    )


def _stored(
    job: JobOutcome, folder: RunFolder, cwd: Path, repository: str, started_at: datetime, seconds: float
) -> StoredRun:
    head = read_head_commit(cwd)
    branch = read_branch(cwd)
    outcome = RunOutcome(
        run_id=folder.run_id,
        attempt=1,
        repository=repository,
        workflow=job.name,  # so that a pass of one command says nothing about another
        workflow_path="",
        branch=branch,
        commit=head.id if head is not None else "",
        conclusion=job.conclusion,
        jobs=(job,),
        started_at=started_at,
        seconds=round(seconds, 3),
    )
    return StoredRun(
        outcome=outcome,
        repository_path=str(find_repository(cwd)),
        default_branch=find_default_branch(cwd, otherwise=branch or "main"),
        actor=head.author_name if head is not None and head.author_name else "local",
        run_number=folder.number,
        head_commit=head,
    )
