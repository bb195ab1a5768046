"""Stories on a terminal: outside text is always escaped, never markup."""

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus
from tasks.domain.markdown import readable_diff
from tasks.domain.plan import Plan
from tasks.domain.story import Story

_STYLES = {
    IncidentStatus.HEALED: "bold green",
    IncidentStatus.REPORTED: "bold yellow",
    IncidentStatus.OFFERED: "bold yellow",
    IncidentStatus.ESCALATED: "bold red",
    IncidentStatus.DENIED: "red",
    IncidentStatus.REJECTED: "red",
    IncidentStatus.EXPIRED: "red",
    IncidentStatus.UNDONE: "yellow",
    IncidentStatus.RESOLVED: "green",
    IncidentStatus.JOINED: "green",
    IncidentStatus.WAITING: "bold cyan",
}
MAX_LINES = 12
MAX_MEMBERS = 20


def status_style(status: IncidentStatus) -> str:
    """The rich style of a status."""
    return _STYLES.get(status, "cyan")


def render_story(story: Story, console: Console) -> None:
    """Everything known of one incident, top to bottom as it happened."""
    signal, status = story.incident.signal, story.incident.status
    console.print(f"[bold]{story.incident.id}[/]  [{status_style(status)}]{status}[/]  {escape(signal.title)}")
    console.print(
        f"{escape(signal.repository)} on {escape(signal.branch)} at {escape(signal.commit[:12])}", style="dim"
    )
    if story.outcome:
        console.print(Text(story.outcome.summary, style=status_style(status)))
    if story.diagnosis and story.evidence:
        console.rule("Diagnosis", align="left", style="dim")
        render_diagnosis(story.diagnosis, story.evidence, console)
    if story.plan:
        console.rule("Plan", align="left", style="dim")
        render_plan(story.plan, console)
    if story.decision:
        console.print(f"Policy: [bold]{story.decision.verdict}[/], {escape(story.decision.reason)}")
    if story.verification:
        console.rule("Verification", align="left", style="dim")
        for check in story.verification.checks:
            mark = "[green]passed[/]" if check.passed else "[red]failed[/]"
            console.print(f"{mark} {escape(check.told)}")
    _render_members(story, console)
    if story.similar:
        console.rule("Seen before", align="left", style="dim")
        for other in story.similar:
            names = ", ".join(other.action_names) or "nothing"
            console.print(f"{other.incident_id} {other.status} {other.ended_at:%Y-%m-%d %H:%M} UTC by {escape(names)}")
    console.rule("Timeline (UTC)", align="left", style="dim")
    for entry in story.timeline:
        console.print(Text(f"{entry.at:%H:%M:%S}  {entry.what}"))


def _render_members(story: Story, console: Console) -> None:
    if story.member_count < 2:
        return
    console.rule(f"One cause, {story.member_count} failures", align="left", style="dim")
    for one in story.members[:MAX_MEMBERS]:
        end = f", {one.end}" if one.end else ""
        console.print(Text(f"{one.joined_at:%H:%M:%S}  {one.signal.title}  ({one.joined_by or 'the first'}{end})"))
    if story.member_count > MAX_MEMBERS:
        console.print(f"and {story.member_count - MAX_MEMBERS} more", style="dim")


def render_diagnosis(diagnosis: Diagnosis, evidence: Evidence, console: Console) -> None:
    """The cause with the lines it quotes."""
    if diagnosis.failure_class is FailureClass.UNKNOWN:
        console.print(f"[bold]{escape(diagnosis.cause)}[/]  [dim]unknown; what the log says last:[/]")
    else:
        console.print(
            f"[bold]{escape(diagnosis.cause)}[/]  [dim]{diagnosis.failure_class}, "
            f"confidence {diagnosis.confidence:.0%}, said by {diagnosis.said_by} {escape(diagnosis.rule)}[/]"
        )
    render_evidence(evidence, console, only=diagnosis.evidence_ids)


def render_evidence(evidence: Evidence, console: Console, *, only: tuple[str, ...]) -> None:
    """Quoted lines with their ids and line numbers, and what could not be read."""
    chosen = [line for line in evidence.lines if line.id in only] or list(evidence.lines)
    for line in chosen[:MAX_LINES]:
        where = f"{line.source}:{line.line_number}" if line.line_number else line.source
        said = Text.assemble((f"{line.id:>6} ", "cyan"), (f"{where}  ", "dim"), line.text)
        console.print(said, soft_wrap=True)  # whole, so that it can be searched and copied
    if len(chosen) > MAX_LINES:
        console.print(f"       … and {len(chosen) - MAX_LINES} more lines ('--json' prints all)", style="dim")
    for source in evidence.unreadable:
        console.print(Text(f"  could not read {source.source}: {source.reason}", style="yellow"))
    if evidence.truncated:
        console.print("  the log was cut before its end: the cause may be missing", style="yellow")


def render_plan(plan: Plan, console: Console) -> None:
    """The actions with risk, undo and the exact diff."""
    console.print(Text(plan.rationale))
    if plan.remembered_incident:
        console.print(f"[bold magenta]Remembered:[/] the same fix healed {plan.remembered_incident}")
    for number, action in enumerate(plan.actions, 1):
        console.print(
            f"{number}. [bold]{escape(action.summary)}[/]  [dim]risk {action.risk}; undo: {escape(action.undo)}[/]"
        )
        if action.preview:
            console.print(
                Padding(
                    Syntax("\n".join(readable_diff(action.preview)), "diff", background_color="default"), (0, 0, 0, 3)
                )
            )
