"""`healflow ci` and `healflow run`: run something here, in GitHub's log format, and report or explain its failure."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from deployments.home import Home
from flows.pipeline import local_name, run_in_worktree
from tasks.clients.pipeline import RunStore, report_run
from tasks.domain.pipeline import Conclusion, RunOutcome
from tasks.errors import BadInputError, PermanentError, TransientError
from tasks.settings import Settings


def find_workflow(repository: Path, named: str) -> str:
    """The workflow to run, from the repository's root.

    Raises:
        BadInputError: none is named and there is not exactly one.
    """
    if named:
        return named
    folder = repository / ".github" / "workflows"
    found = sorted(path.relative_to(repository).as_posix() for path in folder.glob("*.y*ml"))
    if len(found) == 1:
        return found[0]
    choices = ", ".join(found) if found else f"none in {folder}"
    raise BadInputError(f"name the workflow to run: 'healflow ci FILE' (there are: {choices})")


def report_failure(settings: Settings, run_id: str, *, gateway_url: str) -> None:
    """Send the run's `workflow_run` event, signed, to the gateway."""
    secret = Home(settings).webhook_secret()
    stored = RunStore(settings.runs_root).read(run_id)
    report_run(stored, gateway_url=f"{gateway_url}/webhooks/github", secret=secret, now=datetime.now(UTC))


def run_workflow(
    settings: Settings,
    repository: Path,
    workflow: str,
    *,
    ref: str,
    job_keys: tuple[str, ...],
    report: bool,
    as_json: bool,
) -> int:
    """Run, print, report; the exit code is 0 for success and 1 for any other conclusion."""
    chosen = find_workflow(repository, workflow)
    Home(settings).make()
    outcome = run_in_worktree(
        settings, repository, chosen, ref=ref, job_keys=job_keys, on_line=None if as_json else _echo
    )
    if as_json:
        print(outcome.model_dump_json(indent=2))  # noqa: T201
    else:
        _tell(outcome)
    if outcome.conclusion is Conclusion.SUCCESS:
        return 0
    if report:
        _report_or_say(settings, outcome)
    return 1


def _report_or_say(settings: Settings, outcome: RunOutcome) -> None:
    console = Console(stderr=True)
    if not outcome.branch:
        console.print("The failure was not reported: the commit was not named by a branch that a fix could go to.")
        return
    holder = Home(settings).holder()
    url = holder.gateway_url if holder else f"http://127.0.0.1:{settings.gateway_port}"
    try:
        report_failure(settings, outcome.run_id, gateway_url=url)
    except TransientError as error:
        console.print(f"The failure was not reported: {error}", style="yellow", markup=False)
        return
    except PermanentError as error:
        if holder is not None:
            raise
        other = f"No 'healflow up' serves {settings.root}: set HEALFLOW_HOME to what it prints as its state."
        raise PermanentError(f"{error}\n{other}") from error
    console.print(f"The failure was reported to {url}; 'healflow incidents' follows it.")


def _tell(outcome: RunOutcome) -> None:
    console = Console()
    marks = {Conclusion.SUCCESS: "[green]✓[/]", Conclusion.SKIPPED: "[dim]-[/]"}
    console.print()
    for job in outcome.jobs:
        console.print(f"{marks.get(job.conclusion, '[red]✗[/]')} {job.name}: {job.conclusion}")
    console.print(f"run {outcome.run_id}: [bold]{outcome.conclusion}[/] in {outcome.seconds:.1f} s")


def run_and_triage(settings: Settings, command: Sequence[str], *, as_json: bool) -> int:
    """Run one command, keep its exit code, and explain a failure."""
    from deployments.cli.triage import Style, print_explanation
    from flows.explain import explain_run
    from tasks.clients.pipeline import run_command
    from tasks.collect.local_run import StoredLogs

    here = Path.cwd()
    Home(settings).make()
    store = RunStore(settings.runs_root)
    outcome = run_command(command, cwd=here, store=store, repository=local_name(here), on_line=_echo)
    step = outcome.jobs[0].steps[0]
    code = step.exit_code if step.exit_code is not None else 1
    if code != 0:
        # On standard error, so that the command's own output stays what it was.
        explanation = explain_run(StoredLogs(store), outcome.run_id)
        print_explanation(explanation, Style.JSON if as_json else Style.TEXT, sys.stderr)
    return code


def _echo(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
