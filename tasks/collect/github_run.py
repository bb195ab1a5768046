"""Reads a run on GitHub as evidence: through the client, with what its workflow file says about jobs and commands."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from tasks.clients.github import GithubClient
from tasks.clients.pipeline import load_workflow
from tasks.clients.pipeline.plans import Job, Step, Workflow
from tasks.collect.ci_run import read_ci_run
from tasks.domain.code_host import Annotation, HostedRun
from tasks.domain.evidence import Change, Evidence, UnreadableSource
from tasks.domain.incident import RunRef
from tasks.domain.pipeline import JobOutcome, RunOutcome, StepOutcome
from tasks.domain.signature import Signature
from tasks.errors import HealflowError, PermanentError

_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_SAYS_NOTHING = re.compile(r"(?:Process completed with exit code \d+|The process '[^']*' failed with exit code \d+)\.?")
_RUN_LEVEL = ".github"
"""The path that GitHub gives to what a job says of no file."""
_OTHER_APPS_CHECK = "check-"
"""How intake names a check run that is no workflow run."""


def read_github_run(client: GithubClient, repository: str, run: RunRef, signatures: Sequence[Signature]) -> Evidence:
    """All evidence of one run on GitHub; nothing is written there.

    Raises:
        TransientError: the run has not ended yet.
        PermanentError: the run itself cannot be read.
    """
    if run.run_id.startswith(_OTHER_APPS_CHECK):
        raise PermanentError(
            f"the check {run.workflow!r} was run by another app, whose log is not on GitHub: {run.url or 'see there'}"
        )
    reader = GithubRunReader(client, repository, attempt=run.attempt)
    evidence = read_ci_run(reader, run.run_id, signatures, remarks=reader.remarks)
    return evidence.model_copy(update={"unreadable": (*reader.unreadable, *evidence.unreadable)})


class GithubRunReader:
    """A `RunReader` over GitHub for one attempt of one run; it writes nothing.

    With `so_far` a run that still goes on is read too, as far as its jobs have ended.
    """

    def __init__(
        self, client: GithubClient, repository: str, *, attempt: int | None = None, so_far: bool = False
    ) -> None:
        self._client, self._repository, self._attempt, self._so_far = client, repository, attempt, so_far
        self._run: HostedRun | None = None
        self._reports_read = False
        self.unreadable: tuple[UnreadableSource, ...] = ()
        """What `outcome` could not read although it should."""

    def outcome(self, run_id: str) -> RunOutcome:
        """The attempt with its jobs and steps, the commands of the steps where the workflow file tells them.

        Raises:
            TransientError: it has not ended yet.
        """
        run = self._client.runs.read(self._repository, run_id, attempt=self._attempt)
        outcome = self._client.runs.outcome(run, so_far=self._so_far)
        self._run = run
        if not outcome.failed_jobs and outcome.conclusion.failed:
            reason = f"no job of it has failed, so GitHub may have refused to start it: see {run.url}"
            self.unreadable = (UnreadableSource(source="jobs", reason=reason),)
        return self._with_commands(run, outcome) if outcome.jobs else outcome

    def _with_commands(self, run: HostedRun, outcome: RunOutcome) -> RunOutcome:
        try:
            workflow = _parse(self._client.runs.workflow_text(run), outcome.workflow_path)
        except HealflowError as error:
            source = f"workflow:{outcome.workflow_path}"
            self.unreadable += (UnreadableSource(source=source, reason=str(error)),)
            return outcome
        return outcome.model_copy(update={"jobs": tuple(_described(job, workflow) for job in outcome.jobs)})

    def open_log(self, _run_id: str, job: JobOutcome) -> BinaryIO:
        """The raw log of one job, as a stream."""
        return self._client.logs.open(self._repository, job.log_ref)

    def remarks(self, job: JobOutcome) -> str:
        """What GitHub and the job's tools remarked as a failure, a line each; the log may not have it.

        That a runner was lost, or that a job was never started, stands here and nowhere else.
        """
        found = self._client.runs.annotations(self._repository, job)
        lines = (_told(one) for one in found if one.level == "failure")
        return "\n".join(line for line in lines if line)

    def reports(self, run_id: str, _job: JobOutcome) -> Iterator[tuple[str, bytes]]:
        """What the run left as reports, with its first failed job: GitHub does not say which job an artifact is of."""
        if not self._reports_read:
            self._reports_read = True
            yield from self._client.artifacts.reports(self._repository, run_id)

    def history(self, run: RunOutcome) -> tuple[RunOutcome, ...]:
        """The other attempts, and the other runs of the same workflow and branch, newest first."""
        known = self._run or self._client.runs.read(self._repository, run.run_id, attempt=run.attempt)
        return self._client.runs.neighbours(known)

    def changes(self, good: str | None, bad: str) -> tuple[Change, ...]:
        """The commits between the two, newest first."""
        return self._client.changes.between(self._repository, good, bad)


def _told(annotation: Annotation) -> str:
    message = " ".join(annotation.message.split())
    if not message or _SAYS_NOTHING.fullmatch(message):
        return ""
    if annotation.path in ("", _RUN_LEVEL):
        return message
    where = f"{annotation.path}:{annotation.line}" if annotation.line else annotation.path
    return f"{where}: {message}"


def _parse(text: bytes, name: str) -> Workflow:
    with TemporaryDirectory(prefix="healflow-workflow-") as folder:
        path = Path(folder) / "workflow.yml"
        path.write_bytes(text)
        return load_workflow(path, shown_as=name)


def _described(job: JobOutcome, workflow: Workflow) -> JobOutcome:
    """The job with its key and the commands of its steps; as GitHub tells it where no job of the file is the one."""
    found = [known for known in workflow.jobs if _names(known.name or known.key, job.name)]
    exact = [known for known in found if job.name in (known.name, known.key)]
    one = exact or found
    if len(one) != 1:
        return job
    allowed = one[0].continue_on_error.strip() == "true"
    update = {"key": one[0].key, "allowed_to_fail": allowed, "steps": _with_scripts(job.steps, one[0])}
    return job.model_copy(update=update)


def _names(template: str, shown: str) -> bool:
    """Whether a name of the file is what GitHub shows; the values of a matrix follow it in parentheses."""
    return re.fullmatch(_pattern(template) + r"(?: \(.*\))?", shown, re.DOTALL) is not None


def _pattern(template: str) -> str:
    return ".*?".join(re.escape(part) for part in _EXPRESSION.split(template))


def _with_scripts(steps: tuple[StepOutcome, ...], job: Job) -> tuple[StepOutcome, ...]:
    """Both lists are in order, and GitHub puts steps of its own (`Set up job`, `Post …`) around those of the file."""
    waiting = list(job.steps)
    told = []
    for step in steps:
        place = next((index for index, known in enumerate(waiting) if _is(known, step.name)), None)
        if place is None:
            told.append(step)
            continue
        known = waiting[place]
        told.append(step.model_copy(update={"command": known.run, "uses": known.uses}))
        waiting = waiting[place + 1 :]
    return tuple(told)


def _is(known: Step, shown: str) -> bool:
    return re.fullmatch(_pattern(known.name or known.title), shown, re.DOTALL) is not None
