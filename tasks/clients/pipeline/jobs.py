"""Runs the steps of one job, one after another, as GitHub's runner does."""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.clients.pipeline.contexts import RunFacts, github_context, github_variables
from tasks.clients.pipeline.environment import EnvironmentFileError, StepFiles, runner_facts
from tasks.clients.pipeline.expressions import Scope
from tasks.clients.pipeline.functions import plain_functions
from tasks.clients.pipeline.log import JobLog, StepOutput
from tasks.clients.pipeline.plans import Job, Step
from tasks.clients.pipeline.process import StepProcesses
from tasks.clients.pipeline.reports import MAX_REPORTS, written_reports
from tasks.clients.pipeline.shells import ShellError, find_shell
from tasks.clients.pipeline.templates import fill, fill_script, holds
from tasks.clients.pipeline.values import ExpressionError, Value, to_number
from tasks.domain.pipeline import Conclusion, StepOutcome

_JOB_MINUTES = 360.0  # GitHub's default
_CLEANUP_SECONDS = 300.0  # for `always()` steps after a job's time is up; GitHub gives five minutes too
# GitHub's words for a step in an expression know no time-out: the step's own is a failure, the job's a cancellation.


@dataclass
class StepResult:
    """How a step went: `outcome` before and `conclusion` after `continue-on-error`, both in the words of the `steps`
    context."""

    outcome: Conclusion
    conclusion: Conclusion
    exit_code: int | None = None
    timed_out: bool = False
    outputs: dict[str, str] = field(default_factory=dict)


def _minutes(text: str | None, scope: Scope) -> float | None:
    if text is None:
        return None
    minutes = to_number(fill(text, scope))
    if not 0 < minutes <= 525_600:
        raise ExpressionError(f"'timeout-minutes' has to be a positive number of minutes, found {fill(text, scope)!r}")
    return minutes


class JobRun:
    """One job, or one leg of its matrix, under way."""

    def __init__(self, facts: RunFacts, job: Job, scope: Scope, log: JobLog) -> None:
        self.steps: list[StepOutcome] = []
        self.status = Conclusion.SUCCESS
        self.timed_out = False
        self._facts, self._job, self._scope, self._log = facts, job, scope, log
        self._results: dict[str, Value] = {}
        self._set_env: dict[str, str] = {}
        self._paths: list[str] = []
        self._processes = StepProcesses()
        self._summaries: list[str] = []
        self.reports: list[Path] = []
        """What the commands wrote as a report, while the checkout stands."""

    def run(self) -> dict[str, str]:
        """Run all steps and return the job's outputs; processes in the background end with it, also when
        interrupted."""
        self._temporary = Path(tempfile.mkdtemp(prefix="healflow-job-"))
        try:
            self._prepare()
            for step in self._job.steps:
                self._run_step(step)
            return self._outputs()
        except ExpressionError as error:
            self.status = Conclusion.FAILURE
            self._log.error(f"The job cannot run: {error}")
            return {}
        finally:
            self._processes.end()
            shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def summary(self) -> str:
        """The Markdown that the steps wrote into `$GITHUB_STEP_SUMMARY`."""
        return "\n".join(self._summaries)

    def _prepare(self) -> None:
        github: Value = {**github_context(self._facts), "job": self._job.key}
        self._runner = runner_facts(self._temporary)
        event_path = self._temporary / "event.json"
        functions = {**plain_functions(self._facts.checkout), **self._status_functions()}
        secrets: Value = {**self._facts.secrets, "GITHUB_TOKEN": ""}
        contexts = {**self._scope.contexts, "github": github, "runner": dict(self._runner), "secrets": secrets}
        self._scope = Scope(contexts, functions)
        event_path.write_text(fill("${{ toJSON(github.event) }}", self._scope))
        self._minutes = _minutes(self._job.timeout_minutes, self._scope) or _JOB_MINUTES
        self._deadline = time.monotonic() + self._minutes * 60
        self._env = self._filled_env(self._facts.workflow.env, {})
        self._env |= self._filled_env(self._job.env, self._env)
        self._variables = github_variables(github_context(self._facts) | {"job": self._job.key}, event_path)
        self._variables |= {f"RUNNER_{name.upper()}": value for name, value in self._runner.items()}

    def _status_functions(self) -> dict[str, Callable[..., Value]]:
        return {
            "success": lambda: self.status is Conclusion.SUCCESS,
            "failure": lambda: self.status is Conclusion.FAILURE,
            "cancelled": lambda: self.status is Conclusion.CANCELLED,
            "always": lambda: True,
        }

    def _filled_env(self, env: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
        scope = self._scope.with_context("env", dict(before))
        return {name: fill(value, scope) for name, value in env.items()}

    def _run_step(self, step: Step) -> None:
        started = time.monotonic()
        title = step.name or step.title
        try:
            scope = self._step_scope(step)
            title = fill(step.name, scope) if step.name else step.title
            if not holds(step.condition, scope):
                result = StepResult(Conclusion.SKIPPED, Conclusion.SKIPPED)
            elif step.uses is not None:
                result = self._skip_action(step, title)
            else:
                result = self._finished(step, scope, self._run_script(step, scope, title))
        except (ExpressionError, ShellError) as error:
            self._log.error(f"{title}: {error}")
            result = StepResult(Conclusion.FAILURE, Conclusion.FAILURE)
        self._note(step, title, result, time.monotonic() - started)

    def _note(self, step: Step, title: str, result: StepResult, seconds: float) -> None:
        if result.conclusion in (Conclusion.FAILURE, Conclusion.CANCELLED) and self.status is Conclusion.SUCCESS:
            self.status = result.conclusion
        if result.outcome is Conclusion.CANCELLED:
            self.status, self.timed_out = Conclusion.CANCELLED, True
        if step.id is not None:
            self._results[step.id] = {
                "outputs": dict(result.outputs),
                "outcome": result.outcome.value,
                "conclusion": result.conclusion.value,
            }
        counts = result.timed_out and result.conclusion is not Conclusion.SUCCESS
        self.steps.append(
            StepOutcome(
                number=step.number,
                name=self._log.masked(title),
                conclusion=Conclusion.TIMED_OUT if counts else result.conclusion,
                command=step.run,
                uses=step.uses,
                exit_code=result.exit_code,
                seconds=round(seconds, 3) if result.outcome is not Conclusion.SKIPPED else None,
            )
        )

    def _step_scope(self, step: Step) -> Scope:
        shared = self._env | self._set_env
        scope = self._scope.with_context("steps", self._results)
        scope = scope.with_context("job", {"status": self.status.value})
        scope = scope.with_context("env", shared)
        own = {name: fill(value, scope) for name, value in step.env.items()}
        return scope.with_context("env", shared | own)

    def _skip_action(self, step: Step, title: str) -> StepResult:
        self._log.group(title if step.name else f"Run {step.uses}", [])
        name = (step.uses or "").partition("@")[0].lower()
        if name == "actions/checkout":
            self._log.write(f"Skipped {step.uses}: this folder is already the checkout of {self._facts.commit}.")
        else:
            self._log.warning(f"Skipped {step.uses}: actions are not run on this machine; what it sets up is missing.")
        return StepResult(Conclusion.SKIPPED, Conclusion.SKIPPED)

    def _finished(self, step: Step, scope: Scope, result: StepResult) -> StepResult:
        """Apply `continue-on-error` to a failed step."""
        if result.outcome is Conclusion.FAILURE and fill(step.continue_on_error, scope).strip().lower() == "true":
            result.conclusion = Conclusion.SUCCESS
        return result

    def _run_script(self, step: Step, scope: Scope, title: str) -> StepResult:
        env = self._process_env(scope)
        defaults = self._job.shell or self._facts.workflow.shell
        shell_text = step.shell or defaults
        shell = find_shell(fill(shell_text, scope) if shell_text else None, env.get("PATH", ""))
        script_text = fill_script(step.run or "", scope)
        self._log.group(*self._heading(step, script_text, shell.shown, scope))
        minutes = _minutes(step.timeout_minutes, scope)
        files = StepFiles(self._temporary, step.number)
        script = self._temporary / f"step-{step.number}{shell.suffix}"
        script.write_text(script_text if script_text.endswith("\n") else script_text + "\n", errors="surrogateescape")
        output, folder, began = StepOutput(self._log), self._folder(step, scope), time.time()
        limit = minutes * 60 if minutes is not None else self._facts.default_step_timeout_seconds
        left = self._deadline - time.monotonic()
        try:
            end = self._processes.run(
                shell.command(script),
                cwd=folder,
                env=env | files.variables(),
                on_output=output.feed,
                timeout_seconds=min(limit, left),
            )
        except OSError as error:
            self._log.error(f"The step cannot start in {error.filename!r}: {error.strerror}.")
            return StepResult(Conclusion.FAILURE, Conclusion.FAILURE)
        finally:
            output.finish()
        found = written_reports(script_text, folder=folder, checkout=self._facts.checkout, since=int(began))
        self.reports += [path for path in found if path not in self.reports][: MAX_REPORTS - len(self.reports)]
        if end.timed_out:
            return self._out_of_time(title, limit, job_is_over=left <= limit)
        return self._ended(end.exit_code or 0, output, files)

    def _heading(self, step: Step, script: str, shell: str, scope: Scope) -> tuple[str, list[str]]:
        first = script.strip().splitlines()[0].strip() if script.strip() else (step.name or "")
        lines = [f"\x1b[36;1m{line}\x1b[0m" for line in script.rstrip().splitlines()]
        lines.append(f"shell: {shell}")
        env = scope.contexts["env"]
        if isinstance(env, Mapping) and env:
            lines.append("env:")
            lines += [line for name, value in env.items() for line in f"  {name}: {value}".splitlines()]
        return f"Run {first}", lines

    def _process_env(self, scope: Scope) -> dict[str, str]:
        env = scope.contexts["env"]
        declared = {name: str(value) for name, value in env.items()} if isinstance(env, Mapping) else {}
        merged = {**self._facts.inherited, "CI": "true", **declared, **self._variables}
        if self._paths:
            merged["PATH"] = ":".join([*self._paths, merged.get("PATH", "")])
        for name, value in merged.items():
            if "\0" in value:
                raise ExpressionError(f"the variable {name!r} holds a NUL character")
        return merged

    def _folder(self, step: Step, scope: Scope) -> Path:
        text = step.working_directory or self._job.working_directory or self._facts.workflow.working_directory
        return self._facts.checkout / fill(text, scope) if text else self._facts.checkout

    def _out_of_time(self, title: str, limit_seconds: float, *, job_is_over: bool) -> StepResult:
        if not job_is_over:
            self._log.error(f"The action '{title}' has timed out after {limit_seconds / 60:g} minutes.")
            return StepResult(Conclusion.FAILURE, Conclusion.FAILURE, timed_out=True)
        self._log.error(
            f"The job running on runner healflow has exceeded the maximum execution time of {self._minutes:g} minutes."
        )
        self._log.error("The operation was canceled.")
        self._deadline = time.monotonic() + _CLEANUP_SECONDS
        return StepResult(Conclusion.CANCELLED, Conclusion.CANCELLED, timed_out=True)

    def _ended(self, exit_code: int, output: StepOutput, files: StepFiles) -> StepResult:
        conclusion = Conclusion.SUCCESS if exit_code == 0 else Conclusion.FAILURE
        outputs = dict(output.outputs)
        try:
            self._set_env |= files.env()
            self._paths = files.paths() + self._paths
            outputs |= files.outputs()
        except EnvironmentFileError as error:
            self._log.error(str(error))
            conclusion = Conclusion.FAILURE
        if summary := files.summary():
            self._summaries.append(self._log.masked(summary))
        if exit_code != 0:
            self._log.error(f"Process completed with exit code {exit_code}.")
        return StepResult(conclusion, conclusion, exit_code=exit_code, outputs=outputs)

    def _outputs(self) -> dict[str, str]:
        scope = self._scope.with_context("steps", self._results).with_context("env", self._env | self._set_env)
        scope = scope.with_context("job", {"status": self.status.value})
        outputs = {}
        for name, text in self._job.outputs.items():
            value = fill(text, scope)
            if self._log.masked(value) != value:
                self._log.warning(f"Skip output '{name}' since it may contain secret.")
            elif value:
                outputs[name] = value
        return outputs
