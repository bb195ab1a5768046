"""`healflow incidents` and `healflow show`."""

import json
import shlex

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deployments.cli.render import render_story, status_style
from deployments.home import open_ledger
from tasks.approve import can_merge, editable
from tasks.domain.incident import IncidentStatus
from tasks.domain.story import Story
from tasks.remember import read_story
from tasks.settings import Settings


def list_incidents(settings: Settings, *, limit: int, in_flight: bool, as_json: bool) -> None:
    """Print the newest incidents as a table, or as a JSON array."""
    ledger = open_ledger(settings)
    stories = [
        read_story(ledger, stored.incident.id)
        for stored in ledger.incidents.newest(limit=limit, in_flight_only=in_flight)
    ]
    if as_json:
        print(json.dumps([_row(story) for story in stories]))  # noqa: T201
        return
    console = Console()
    if not stories:
        console.print(f"No incidents in {settings.root} yet.", soft_wrap=True, markup=False)
        console.print("'healflow ci' runs a workflow here and reports its failures.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("Incident", "Status", "Opened (UTC)"):
        table.add_column(title, no_wrap=True)  # the id is there to be copied
    for title in ("Repository", "Branch", "Failures", "What"):
        table.add_column(title, overflow="fold", min_width=len(title))
    for story in stories:
        incident = story.incident
        table.add_row(
            incident.id,
            f"[{status_style(incident.status)}]{incident.status}[/]",
            f"{incident.opened_at:%m-%d %H:%M}",
            escape(incident.signal.repository),
            escape(incident.signal.branch),
            str(story.member_count),
            escape(story.diagnosis.cause if story.diagnosis else incident.signal.title),
        )
    console.print(table)


def show_incident(settings: Settings, incident_id: str, *, as_json: bool) -> None:
    """Print one incident whole."""
    ledger = open_ledger(settings)
    story = read_story(ledger, incident_id)
    if as_json:
        print(story.model_dump_json(indent=2))  # noqa: T201
        return
    console = Console()
    render_story(story, console)
    asked = ledger.approvals.get(story.request.id) if story.request else None
    if story.incident.status is IncidentStatus.WAITING and asked is not None and asked.answer is None:
        _render_question(story, console)


def _render_question(story: Story, console: Console) -> None:
    """How to answer what it asks."""
    if story.request is None or story.plan is None:
        return
    console.rule(f"Waits for an answer until {story.request.deadline:%Y-%m-%d %H:%M} UTC", align="left", style="dim")
    merge = " --merge" if can_merge(story.plan, story.incident) else ""
    told = [f"approve {story.incident.id}{merge}", f"reject {story.incident.id} --why REASON"]
    told += [
        f"edit {story.incident.id} {shlex.quote(f'{name}={value}')}" for name, value in editable(story.plan).items()
    ]
    for command in told:
        console.print(Text(f"healflow {command}"), soft_wrap=True)


def _row(story: Story) -> dict[str, str | int]:
    incident = story.incident
    return {
        "id": incident.id,
        "status": incident.status,
        "opened_at": incident.opened_at.isoformat(),
        "repository": incident.signal.repository,
        "branch": incident.signal.branch,
        "commit": incident.signal.commit,
        "cause": story.diagnosis.cause if story.diagnosis else "",
        "failures": story.member_count,
    }
