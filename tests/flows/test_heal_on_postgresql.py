"""A whole heal with its ledger on PostgreSQL: not before somebody said yes, and not twice for a server that was away."""

from collections.abc import Iterator

import pytest

from tasks.clients.ledger import Ledger
from tasks.domain.approval import Answer
from tasks.domain.incident import IncidentStatus
from tasks.errors import TransientError
from tests.fakes.postgres import Postgres
from tests.flows.healing import Healing

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]


@pytest.fixture(autouse=True)
def ledger_on_postgresql(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    url = postgres.migrated()
    monkeypatch.setenv("HEALFLOW_DATABASE_URL", url)
    yield
    Ledger.shared(url).close()


def test_heal_waits_for_a_person_and_for_a_server_that_is_away(healing: Healing, postgres: Postgres) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    assert healing.branches() == {"main"}
    assert healing.ledger.memory.actions_of(incident.id) == ()
    healing.answer(incident, Answer.APPROVE)
    postgres.stop()
    try:
        with pytest.raises(TransientError):
            healing.go_on(incident)
    finally:
        postgres.start()
    assert healing.branches() == {"main"}, "nothing is done that cannot be written down"
    assert healing.ledger.memory.actions_of(incident.id) == ()

    outcome = healing.go_on(incident, anew=True)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    done = healing.ledger.memory.actions_of(incident.id)
    assert len({one.key for one in done}) == len(done) > 0
    assert all(one.result is not None for one in done)
    assert healing.ledger.audit.verify().problem == ""
    assert not (healing.settings.root / "ledger.db").exists()


def test_no_is_no(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.REJECT, reason="not before the release")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert healing.branches() == {"main"}
    assert healing.ledger.memory.actions_of(incident.id) == ()
