"""Retries that somebody forces in the Prefect UI, whatever the run is at: nothing is done twice and no question lost."""

import pytest

from tasks.domain.approval import Answer
from tasks.domain.incident import IncidentStatus
from tests.flows.healing import Healing
from tests.flows.test_heal_crashes import Killed, die

pytestmark = pytest.mark.prefect


def test_forced_retry_of_a_heal_that_ended_with_a_no_does_nothing(healing: Healing) -> None:
    incident = healing.break_format()
    healing.start(incident)
    healing.answer(incident, Answer.REJECT)
    first = healing.go_on(incident)
    journal = healing.ledger.incidents.journal(incident.id)
    assert healing.go_on(incident) == first
    healing.force_retry(incident)
    assert healing.go_on(incident) == first
    assert healing.ledger.incidents.journal(incident.id) == journal
    assert healing.branches() == {"main"}


def test_forced_retry_of_a_waiting_heal_neither_acts_nor_loses_its_question(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    for name in ("AwaitingRetry", "Scheduled", "AwaitingRetry"):
        healing.force_retry(incident, name)
        assert healing.go_on(incident) is None, "asks still"
    assert healing.branches() == {"main"}
    (question,) = healing.ledger.approvals.of_incident(incident.id)
    assert question.answer is None
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert [action.name for action in healing.ledger.memory.actions_of(incident.id)] == ["run_formatter"]


def test_forced_retry_of_a_failed_heal_acts_once(healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    with monkeypatch.context() as dying:
        dying.setattr("tasks.clients.ledger.memory.Memory.complete", die)
        with pytest.raises(Killed):
            healing.go_on(incident)
    made = healing.repository.git("rev-parse", f"healflow/{incident.id}")
    healing.force_retry(incident)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert healing.repository.git("rev-parse", f"healflow/{incident.id}") == made
    assert len(healing.ledger.memory.actions_of(incident.id)) == 1


def test_forced_retry_asks_again_and_takes_no_form_that_was_sent_before(
    healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    assert healing.resume(incident, answer="approve", approver="Grace") == "ACCEPT"
    with monkeypatch.context() as dying:
        dying.setattr("tasks.approve.task.expire", die)  # the form is read, and nothing of it recorded
        with pytest.raises(Killed):
            healing.go_on(incident)
    healing.force_retry(incident)
    assert healing.go_on(incident) is None, "asks again"
    assert healing.branches() == {"main"}
    (question,) = healing.ledger.approvals.of_incident(incident.id)
    assert question.answer is None
    healing.answer(incident, Answer.REJECT)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
