"""`healflow deploy`: brings a folder of manifests out on a cluster, without a Prefect server."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from deployments.cli.progress import Progress
from flows.release import Question, bring_out, plain_steps
from tasks.domain.plan import Verdict
from tasks.domain.rollout import DeployReport, Difference, ReleaseOrder, RolloutState
from tasks.settings import Settings

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def deploy(settings: Settings, order: ReleaseOrder, *, yes: bool, as_json: bool) -> int:
    """Deploy, print how it went, and return the exit code: 0 only when the release is verified, or was only shown.

    Raises:
        HealflowError: the release cannot be rendered, or the cluster or the ledger cannot be reached.
    """
    console = Console(stderr=as_json, highlight=False)
    with Progress("Deploying") as progress:

        def approve(question: Question) -> bool:
            progress.pause()
            return yes or _prompt(question, console)

        report = bring_out(settings, order, plain_steps(settings, progress.tell), approve=approve)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _print(report, console, show_differences=order.dry_run)
    return 0 if report.succeeded else 1


def _prompt(question: Question, console: Console) -> bool:
    if not sys.stdin.isatty():
        return False
    _print_differences(question.differences, console)
    for one in question.asked:
        console.print(f"{one.ref}: {one.reason}", style="yellow", markup=False, soft_wrap=True)
    return typer.confirm("Apply it?", default=False, err=True)


def _print(report: DeployReport, console: Console, *, show_differences: bool) -> None:
    if show_differences:
        _print_differences(report.differences, console)
    for decision in report.decisions:
        if decision.verdict is not Verdict.ALLOW:
            told = f"{decision.verdict}: {decision.ref}: {decision.reason} ({', '.join(decision.rules)})"
            console.print(told, style="yellow", markup=False, soft_wrap=True)
    for one in report.rollouts:
        mark = Text("✓ ", "green") if one.state is RolloutState.DONE else Text("✗ ", "red")
        told = f"{one.ref} (revision {one.revision}): {one.message}"
        console.print(Text.assemble(mark, told), soft_wrap=True)
    colour = "green" if report.succeeded else "red"
    named = f" [{report.failure_class}]" if report.failure_class else ""
    console.print(Text.assemble((str(report.status), colour), f"{named}: {report.message}"), soft_wrap=True)
    for incident_id in report.incident_ids:
        console.print(f"{incident_id} was opened; 'healflow up' heals it, and 'healflow show {incident_id}' tells it.")


def _print_differences(differences: tuple[Difference, ...], console: Console) -> None:
    for one in differences:
        if not one.text:
            continue
        if one.created:
            console.print(f"new: {one.ref}", style="green", markup=False, soft_wrap=True)
            continue
        for line in one.text.splitlines():
            console.print(Text(line, _COLOURS.get(line[:1], "")), soft_wrap=True)
