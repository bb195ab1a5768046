"""`healflow deploy`: brings a folder of manifests out on a cluster, without a Prefect server."""

import sys
from collections.abc import Callable
from dataclasses import replace

import typer
from rich.console import Console
from rich.text import Text

from deployments.cli.progress import Progress
from deployments.home import local_user
from flows.asking_here import LedgerAsker
from flows.release import Steps, bring_out, plain_steps
from tasks.approve import identify
from tasks.domain.approval import Answer, IdentityKind
from tasks.domain.plan import Verdict
from tasks.domain.rollout import (
    DeployReport,
    DeployStatus,
    Difference,
    Manifests,
    ReleaseOrder,
    Rollout,
    RolloutState,
    Smoke,
)
from tasks.domain.story import Triage
from tasks.settings import Settings

INTERRUPTED = 130
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def deploy(settings: Settings, order: ReleaseOrder, *, yes: bool, wait_seconds: int, as_json: bool) -> int:
    """Deploy, print how it went, and return the exit code: 0 only when the release is verified, or was only shown; 130
    when it was interrupted, with what is left of it.

    Raises:
        HealflowError: the release cannot be rendered, or the cluster or the ledger cannot be reached.
    """
    console = Console(stderr=as_json, highlight=False)
    stage = Stage()
    try:
        report = _bring_out(settings, order, console, stage, yes=yes, wait_seconds=wait_seconds)
    except KeyboardInterrupt:
        Console(stderr=True, highlight=False).print(f"interrupted: {stage.left}", markup=False, soft_wrap=True)
        return INTERRUPTED
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _print(report, console, show_differences=order.dry_run)
    return 0 if report.succeeded else 1


def _bring_out(
    settings: Settings, order: ReleaseOrder, console: Console, stage: "Stage", *, yes: bool, wait_seconds: int
) -> DeployReport:
    with Progress("Deploying") as progress:
        asker = None
        if yes or wait_seconds or sys.stdin.isatty():
            person = identify(IdentityKind.LOCAL, local_user(), settings.approvals.people)
            here = Here(console, progress, yes=yes, wait_seconds=wait_seconds)
            reason = "--yes" if yes else ""
            asker = LedgerAsker(settings, person, here, reason=reason, wait_seconds=wait_seconds, tell=here.tell)
        return bring_out(
            settings, order, stage.watching(plain_steps(settings, stage.hearing(progress.tell))), asker=asker
        )


class Stage:
    """How far a deploy has come, and so what is left of it when it is interrupted."""

    left = "nothing was applied"

    def hearing(self, tell: Callable[[str], None]) -> Callable[[str], None]:
        """What is told, with what it means for an interrupted apply."""

        def hear(what: str) -> None:
            if what.startswith("applying "):
                self.left = (
                    f"it stopped while {what}; what was applied stays. Run the same again to go on, which changes "
                    "nothing twice"
                )
            tell(what)

        return hear

    def watching(self, steps: Steps) -> Steps:
        """The same steps, each of which says first where that leaves the release."""

        def watch(manifests: Manifests, seconds: float) -> tuple[Rollout, ...]:
            self.left = (
                "all of it is applied and comes out in the cluster by itself; it is not verified, and no incident was "
                "opened. Run the same again to see how it ends"
            )
            return steps.watch(manifests, seconds)

        def smoke(order: ReleaseOrder, manifests: Manifests) -> Smoke:
            self.left = "all of it is applied and its workloads serve; it was not smoke tested and is not verified"
            return steps.smoke(order, manifests)

        return replace(steps, watch=watch, smoke=smoke)


class Here:
    """What the person at this terminal says, where one sits there."""

    def __init__(self, console: Console, progress: Progress, *, yes: bool, wait_seconds: int) -> None:
        self._console, self._progress, self._yes, self._wait_seconds = console, progress, yes, wait_seconds

    def __call__(self, triage: Triage) -> Answer | None:
        """Show what is asked; `None` when nobody sits here to answer."""
        if self._yes:
            return Answer.APPROVE
        self._progress.pause()
        for action in triage.plan.actions:
            _print_difference(action.preview, self._console)
        for line in triage.evidence.lines:
            said = f"{line.source.removeprefix('policy:')}: {line.text}"
            self._console.print(said, style="yellow", markup=False, soft_wrap=True)
        if not sys.stdin.isatty():
            wait = f"waiting {self._wait_seconds} s for 'healflow approve {triage.incident.id}'"
            self._console.print(f"{triage.incident.id}: {wait}", soft_wrap=True)
            return None
        try:
            return Answer.APPROVE if typer.confirm("Apply it?", default=False, err=True) else Answer.REJECT
        except typer.Abort as error:
            raise KeyboardInterrupt from error

    def tell(self, what: str) -> None:
        """Say what became of an answer."""
        self._progress.pause()
        self._console.print(what, style="yellow", markup=False, soft_wrap=True)


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
    if untried := sorted({one.ref.namespace for one in report.differences if one.untried}):
        told = (
            f"{', '.join(untried)} is still to be made: what goes there was compared, and not tried by the API server"
        )
        console.print(told, style="yellow", markup=False, soft_wrap=True)
    colour = "green" if report.succeeded else "red"
    named = f" [{report.failure_class}]" if report.failure_class else ""
    told = report.message
    if report.status is DeployStatus.DENIED:  # its reasons stand above, one a line
        denied = sum(one.verdict is Verdict.DENY for one in report.decisions)
        told = f"policy denies {denied} of {len(report.decisions)} objects; nothing was applied" if denied else told
    console.print(Text.assemble((str(report.status), colour), f"{named}: {told}"), soft_wrap=True)
    for incident_id in report.incident_ids:
        told = f"{incident_id} was opened: 'healflow up' looks into it, and 'healflow show {incident_id}' tells of it."
        console.print(told, markup=False, soft_wrap=True)


def _print_differences(differences: tuple[Difference, ...], console: Console) -> None:
    for one in differences:
        if not one.text:
            continue
        if one.created:
            console.print(f"new: {one.ref}", style="green", markup=False, soft_wrap=True)
            continue
        _print_difference(one.text, console)
        if one.taken:
            told = f"{one.ref}: this takes back what a heal had changed ({', '.join(one.taken)})"
            console.print(told, style="yellow", markup=False, soft_wrap=True)


def _print_difference(text: str, console: Console) -> None:
    for line in text.splitlines():
        console.print(Text(line, _COLOURS.get(line[:1], "")), soft_wrap=True)
