"""A heal whose process dies between two steps: what was done is not done again, and what was not goes on."""

import pytest

from tasks.domain.approval import Answer
from tasks.domain.incident import IncidentStatus
from tasks.domain.outcome import ActionStatus
from tasks.errors import SupersededError
from tests.flows.healing import Healing

pytestmark = pytest.mark.prefect


class Killed(BaseException):
    """Stands for the death of the process: nothing of ours catches it."""


def die(*_arguments: object, **_more: object) -> None:
    raise Killed


def test_crash_between_intent_and_result_does_not_act_twice(healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)

    with monkeypatch.context() as dying:
        dying.setattr("tasks.clients.ledger.memory.Memory.complete", die)
        with pytest.raises(Killed):
            healing.go_on(incident)
    (begun,) = healing.ledger.memory.actions_of(incident.id)
    assert begun.result is None
    made = healing.repository.git("rev-parse", f"healflow/{incident.id}")

    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED
    assert healing.repository.git("rev-parse", f"healflow/{incident.id}") == made
    (done,) = healing.ledger.memory.actions_of(incident.id)
    assert done.result is not None
    assert done.result.status is ActionStatus.ALREADY_APPLIED


def test_crash_between_the_approval_and_the_intent_goes_on_with_the_same_approval(
    healing: Healing, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)

    with monkeypatch.context() as dying:
        dying.setattr("tasks.clients.ledger.heals.Heals.keep", die)
        with pytest.raises(Killed):
            healing.go_on(incident)
    assert healing.ledger.memory.actions_of(incident.id) == ()
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary


def test_crash_after_an_undo_does_not_act_again(healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = healing.break_format_beyond_help()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)

    with monkeypatch.context() as dying:
        dying.setattr("tasks.clients.ledger.memory.Memory.end", die)
        with pytest.raises(Killed):
            healing.go_on(incident)
    assert healing.branches() == {"main"}
    made = healing.repository.git("cat-file", "--batch-check", "--batch-all-objects").count(" commit ")
    outcome = healing.go_on(incident, anew=True)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "did not help and was undone" in outcome.summary
    assert healing.branches() == {"main"}
    assert healing.repository.git("cat-file", "--batch-check", "--batch-all-objects").count(" commit ") == made


def test_run_that_was_superseded_ends_nothing(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    healing.ledger.incidents.set_flow_run(incident.id, "another run")
    with pytest.raises(SupersededError):
        healing.go_on(incident)
    assert healing.story(incident).outcome is None
    assert healing.branches() == {"main"}
