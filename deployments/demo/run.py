"""Runs the demo: break, detect, explain, ask, heal, prove; four times, the last from memory."""

import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.prompt import Prompt
from rich.table import Table

from deployments.cli.pipeline import report_failure
from deployments.cli.progress import one_line
from deployments.cli.render import render_diagnosis, render_plan, status_style
from deployments.demo.in_slack import PEOPLE, SlackStage
from deployments.demo.project import WORKFLOW, DemoRepository
from deployments.demo.slack import SlackServer
from deployments.home import Home, local_user
from deployments.local import Running, running
from flows.pipeline import run_in_worktree
from tasks.approve import answer_newest, identify
from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind
from tasks.domain.base import Noun
from tasks.domain.incident import IncidentStatus
from tasks.domain.pipeline import Conclusion
from tasks.domain.story import Story
from tasks.errors import PermanentError
from tasks.remember import read_story
from tasks.settings import Settings

PATIENCE_SECONDS = 120
"""How long the demo waits for a heal to move on before it says that something is wrong."""
POLL_SECONDS = 0.1


class Chapter(Noun):
    """One breakage and what became of it."""

    title: str
    incident_id: str
    status: IncidentStatus
    seconds: float
    remembered: bool


def run_demo(settings: Settings, *, yes: bool, keep: bool) -> int:
    """Run the whole demo; 0 when every breakage was healed (or answered with no), 1 otherwise."""
    console = Console(highlight=False)
    root = settings.root / "demo"
    shutil.rmtree(root, ignore_errors=True)
    Home(settings).make()
    started = time.monotonic()
    # The demo's workflow calls `python` and `ruff` as in an activated environment; the flows inherit this PATH.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    repository = DemoRepository(root / "shop")
    console.print("[bold]Healflow demo[/]: a small real repository is broken four times and healed each time.\n")
    try:
        with SlackServer() as slack:
            home = Settings(
                home=root / "home",
                gateway_port=0,
                prefect_port=0,
                approval_timeout_seconds=settings.approval_timeout_seconds,
                approvals=PEOPLE,
                slack=slack.settings(),
            )
            with running(home, console=console) as services:
                slack.deliver_to(services.gateway_url)
                ask = not yes and sys.stdin.isatty()
                demo = Demo(console, home, repository, services, SlackStage(slack, console), ask=ask)
                chapters = demo.play()
                _summary(console, chapters, time.monotonic() - started)
                if ask:
                    Prompt.ask(f"\nThe runs are at {services.prefect_url}. Press Enter to stop everything", default="")
    finally:
        if keep:
            console.print(f"Kept: HEALFLOW_HOME={shlex.quote(str(root / 'home'))} healflow incidents", soft_wrap=True)
        else:
            shutil.rmtree(root, ignore_errors=True)
    answered_no = {IncidentStatus.REJECTED}
    return 0 if all(c.status is IncidentStatus.HEALED or c.status in answered_no for c in chapters) else 1


class Demo:
    """The demo's stage: the repository, the running services and the terminal."""

    def __init__(
        self,
        console: Console,
        settings: Settings,
        repository: DemoRepository,
        services: Running,
        slack: SlackStage,
        *,
        ask: bool,
    ) -> None:
        self._console = console
        self._settings = settings
        self._repository = repository
        self._services = services
        self._slack = slack
        self._ask = ask
        self._ledger = Ledger.open(settings.ledger_url)

    def play(self) -> list[Chapter]:
        """All chapters in order."""
        self._console.print(f"\nMaking the repository {self._repository.root.name} with its tests and workflow")
        self._repository.create()
        self._expect_green("The first run")
        repository = self._repository
        return [
            self._chapter("A dependency is missing from the requirements", repository.forget_a_dependency),
            self._chapter("A file is not formatted", repository.misformat_a_file, in_slack=True),
            self._chapter("A commit breaks a test", repository.break_a_test),
            self._chapter("The first failure again", repository.drop_the_dependency),
        ]

    def _chapter(self, title: str, break_it: Callable[[], str], *, in_slack: bool = False) -> Chapter:
        console = self._console
        console.print()
        console.rule(f"[bold]{title}", align="left")
        commit = break_it()
        started = time.monotonic()
        outcome = run_in_worktree(self._settings, self._repository.root, WORKFLOW, ref="main")
        failed = ", ".join(job.name for job in outcome.failed_jobs)
        if outcome.conclusion is Conclusion.SUCCESS:
            raise PermanentError(f"the demo's breakage did not break anything: {title}")
        report_failure(self._settings, outcome.run_id, gateway_url=self._services.gateway_url)
        console.print(f"[red]✗[/] commit {commit[:10]}: the job [bold]{escape(failed)}[/] fails; the event is sent")
        story = self._wait(lambda s: s.incident.status is IncidentStatus.WAITING or s.incident.status.ended, commit)
        if story.diagnosis and story.evidence:
            render_diagnosis(story.diagnosis, story.evidence, console)
        if story.plan:
            render_plan(story.plan, console)
        if story.incident.status is IncidentStatus.WAITING:
            self._answer(story, in_slack=in_slack)
            story = self._wait(lambda s: s.incident.status.ended, commit)
        seconds = time.monotonic() - started
        self._tell_end(story, seconds)
        if in_slack:
            self._slack.tell_end(story.incident.id)
        if story.incident.status is IncidentStatus.HEALED:
            self._expect_green("main, run whole")
        else:
            self._repository.take_back_last_commit()
            self._expect_green("main, after the demo took the commit back")
        return Chapter(
            title=title,
            incident_id=story.incident.id,
            status=story.incident.status,
            seconds=seconds,
            remembered=bool(story.plan and story.plan.remembered_incident),
        )

    def _answer(self, story: Story, *, in_slack: bool) -> None:
        if story.request is None:
            raise PermanentError(f"{story.incident.id} waits without a question")
        choice = "y"
        if self._ask:
            choice = Prompt.ask(
                "[bold]Carry this out and merge it when the job passes?[/]", choices=["y", "n"], default="y"
            )
        elif not in_slack:
            self._console.print("Carry this out and merge it when the job passes? [bold]yes[/] (--yes, or no terminal)")
        if in_slack:
            self._slack.answer(story.incident.id, yes=choice == "y")
            return
        judgement = answer_newest(
            self._ledger,
            story.incident.id,
            answer=Answer.APPROVE_AND_MERGE if choice == "y" else Answer.REJECT,
            identity=identify(IdentityKind.LOCAL, local_user(), self._settings.approvals.people),
            channel=ApprovalChannel.COMMAND_LINE,
            people=self._settings.approvals.people,
            now=datetime.now(UTC),
            reason="" if choice == "y" else "said no in the demo",
        )
        if judgement.refusal is not None:
            raise PermanentError(judgement.message)

    def _tell_end(self, story: Story, seconds: float) -> None:
        if story.verification:
            for check in story.verification.checks:
                mark = "[green]✓[/]" if check.passed else "[red]✗[/]"
                self._console.print(f"{mark} {escape(check.told)}")
        summary = story.outcome.summary if story.outcome else ""
        style = status_style(story.incident.status)
        self._console.print(f"[{style}]{story.incident.status}[/] in {seconds:.1f} s. {escape(summary)}")
        run_id = self._ledger.incidents.get(story.incident.id).flow_run_id
        self._console.print(f"  run: {self._services.prefect_url}/runs/flow-run/{run_id}", style="dim", soft_wrap=True)

    def _expect_green(self, what: str) -> None:
        outcome = run_in_worktree(self._settings, self._repository.root, WORKFLOW, ref="main")
        if outcome.conclusion is not Conclusion.SUCCESS:
            raise PermanentError(f"{what} should pass and does not: {', '.join(j.name for j in outcome.failed_jobs)}")
        self._console.print(f"[green]✓[/] {what}: {len(outcome.jobs)} jobs pass in {outcome.seconds:.1f} s")

    def _wait(self, done: Callable[[Story], bool], commit: str) -> Story:
        """The incident of that commit once `done` holds; says what is awaited while it waits."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._console.status("waiting for the heal flow") as status:
            while time.monotonic() < deadline:
                story = self._story_of(commit)
                if story is not None:
                    if done(story):
                        return story
                    if story.timeline:
                        status.update(one_line(f"{story.incident.id}: {story.timeline[-1].what}", self._console))
                time.sleep(POLL_SECONDS)
        raise PermanentError(
            f"the heal flow did not move on within {PATIENCE_SECONDS} s; its log is in the demo's home"
        )

    def _story_of(self, commit: str) -> Story | None:
        newest = self._ledger.incidents.newest(limit=5)
        found = next((stored for stored in newest if stored.incident.signal.commit == commit), None)
        return read_story(self._ledger, found.incident.id) if found else None


def _summary(console: Console, chapters: list[Chapter], seconds: float) -> None:
    table = Table("Breakage", "Incident", "End", "Seconds", "From memory", box=None, pad_edge=False)
    for chapter in chapters:
        style = status_style(chapter.status)
        remembered = "yes" if chapter.remembered else ""
        table.add_row(
            chapter.title, chapter.incident_id, f"[{style}]{chapter.status}[/]", f"{chapter.seconds:.1f}", remembered
        )
    console.print()
    console.rule("[bold]What happened", align="left")
    console.print(table)
    console.print(f"All of it took {seconds:.0f} s.")
