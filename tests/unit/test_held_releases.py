"""A release that waits is looked after and never healed; one whose deploy died goes to a person."""

from datetime import timedelta
from pathlib import Path

import pytest

from deployments.dispatcher import Dispatcher, RunState
from tasks.clients.ledger import Ledger
from tasks.domain.incident import IncidentStatus, Signal, SignalKind, SignalSource, open_incident
from tasks.errors import PermanentError
from tests.fakes.broken_ledger import broken_before
from tests.fakes.flow_runs import Server
from tests.unit.test_dispatcher import NOW, RUN, ask


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.in_folder(tmp_path)


def hold(ledger: Ledger, *, run: str = "") -> str:
    """A release that waits for a person, of a deploy with or without Prefect."""
    signal = Signal(
        source=SignalSource.CLUSTER,
        kind=SignalKind.RELEASE,
        delivery_id="release-1",
        repository="release/shop",
        branch="shop",
        commit="",
        title="waits",
        occurred_at=NOW,
    )
    incident = ledger.incidents.open(open_incident(signal, now=NOW))
    if run:
        ledger.incidents.set_flow_run(incident.id, run)
    ask(ledger, deadline=NOW + timedelta(hours=1))
    ledger.incidents.set_status(incident.id, IncidentStatus.WAITING)
    return incident.id


@pytest.mark.parametrize("run", ["", RUN])
def test_release_that_waits_is_never_healed(ledger: Ledger, run: str) -> None:
    server = Server()
    server.states[RUN] = RunState.WAITING
    incident_id = hold(ledger, run=run)
    dispatcher = Dispatcher(ledger, server)
    for minutes in range(4):
        dispatcher.tick(NOW + timedelta(minutes=minutes))
    assert server.runs == {}
    assert ledger.incidents.get(incident_id).incident.status is IncidentStatus.WAITING


@pytest.mark.parametrize(("run", "later"), [("", timedelta(hours=4)), (RUN, timedelta(seconds=9))])
def test_release_whose_deploy_died_goes_to_a_person(ledger: Ledger, run: str, later: timedelta) -> None:
    server = Server()
    server.states[RUN] = RunState.LOST
    incident_id = hold(ledger, run=run)
    Dispatcher(ledger, server).tick(NOW + later)
    assert server.runs == {}
    assert ledger.incidents.get(incident_id).incident.status is IncidentStatus.ESCALATED
    outcome = ledger.memory.outcome_of(incident_id)
    assert outcome is not None
    assert "the deploy that asked ended without a word" in outcome.summary


def test_release_whose_deploy_died_ends_whole_or_not_at_all(ledger: Ledger, tmp_path: Path) -> None:
    incident_id, dispatcher, later = hold(ledger), Dispatcher(ledger, Server()), NOW + timedelta(hours=4)
    with broken_before(tmp_path, "INSERT ON outcomes"), pytest.raises(PermanentError):
        dispatcher.tick(later)
    assert ledger.incidents.get(incident_id).incident.status is IncidentStatus.WAITING
    dispatcher.tick(later + timedelta(minutes=1))
    assert ledger.incidents.get(incident_id).incident.status is IncidentStatus.ESCALATED
    assert ledger.memory.outcome_of(incident_id) is not None
