"""`healflow incidents` and `healflow show`."""

import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deployments.cli.render import render_story, status_style
from tasks.clients.ledger import Ledger
from tasks.domain.story import Story
from tasks.remember import read_story
from tasks.settings import Settings


def list_incidents(settings: Settings, *, limit: int, in_flight: bool, as_json: bool) -> None:
    """Print the newest incidents as a table, or as a JSON array."""
    ledger = Ledger.open(settings.ledger_url)
    stories = [
        read_story(ledger, stored.incident.id)
        for stored in ledger.incidents.newest(limit=limit, in_flight_only=in_flight)
    ]
    if as_json:
        print(json.dumps([_row(story) for story in stories]))  # noqa: T201
        return
    console = Console()
    if not stories:
        console.print("No incidents yet. 'healflow ci' runs a workflow here and reports its failures.")
        return
    table = Table(
        "Incident", "Status", "Opened (UTC)", "Repository", "Branch", "Failures", "What", box=None, pad_edge=False
    )
    for story in stories:
        incident = story.incident
        table.add_row(
            incident.id,
            f"[{status_style(incident.status)}]{incident.status}[/]",
            f"{incident.opened_at:%Y-%m-%d %H:%M:%S}",
            escape(incident.signal.repository),
            escape(incident.signal.branch),
            str(story.member_count),
            escape(story.diagnosis.cause if story.diagnosis else incident.signal.title),
        )
    console.print(table)


def show_incident(settings: Settings, incident_id: str, *, as_json: bool) -> None:
    """Print one incident whole."""
    story = read_story(Ledger.open(settings.ledger_url), incident_id)
    if as_json:
        print(story.model_dump_json(indent=2))  # noqa: T201
        return
    render_story(story, Console())


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
