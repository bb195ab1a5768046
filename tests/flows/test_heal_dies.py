"""A heal that dies at every one of its transactions, on each road that it can take: each action once, and one end.

The road of a fix that is merged is walked with real processes and kill -9 in tests/doors/test_kills.py, that of a change in a cluster in
tests/cluster/test_heal_dies.py.
"""

from datetime import timedelta

import pytest

from tasks.approve import expire
from tasks.domain.approval import Answer
from tasks.domain.incident import IncidentStatus
from tests.flows.dying import ANSWERED, walk
from tests.flows.healing import Healing
from tests.flows.hosted import HostedHealing
from tests.flows.test_heal_github import healing as hosted

__all__ = ["hosted"]
pytestmark = pytest.mark.prefect


def commits(healing: Healing) -> int:
    """How many were ever made, also those that no branch holds any more."""
    return healing.repository.git("cat-file", "--batch-check", "--batch-all-objects").count(" commit ")


def test_fix_that_does_not_help_is_made_once_and_undone_once(healing: Healing) -> None:
    incident = healing.break_format_beyond_help()
    before = commits(healing)
    outcome = walk(healing, incident, lambda: healing.answer(incident, Answer.APPROVE_AND_MERGE), least=17)
    assert outcome.status is IncidentStatus.ESCALATED
    assert "did not help and was undone" in outcome.summary
    assert healing.branches() == {"main"}
    assert commits(healing) == before + 1
    assert len(healing.ledger.approvals.of_incident(incident.id)) == 1


def test_edited_plan_is_asked_about_once_more_and_carried_out_once(healing: Healing) -> None:
    from deployments.cli.answers import edit

    healing.repository.forget_a_dependency()
    incident = healing.open_incident(healing.run_workflow())
    before = commits(healing)

    def answer() -> None:
        plan = healing.story(incident).plan
        assert plan is not None
        wanted = plan.actions[0].parameters["requirement"]
        if "# asked for" not in wanted:
            edit(healing.settings, incident.id, [f"1.requirement={wanted}  # asked for"])
            healing.wake(incident, Answer.EDIT)
        else:
            healing.answer(incident, Answer.APPROVE)

    outcome = walk(healing, incident, answer, least=18)
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert commits(healing) == before + 1
    assert "# asked for" in healing.repository.git("show", f"healflow/{incident.id}")
    assert len(healing.ledger.approvals.of_incident(incident.id)) == 2


@pytest.mark.parametrize("given", [Answer.REJECT, Answer.EXPIRED])
def test_no_and_silence_stay_no_wherever_the_heal_dies(healing: Healing, given: Answer) -> None:
    incident = healing.break_format()
    before = commits(healing)

    def answer() -> None:
        if given is Answer.REJECT:
            healing.answer(incident, given, reason="not now")
            return
        request = healing.story(incident).request
        assert request is not None
        assert expire(healing.ledger, request, now=request.deadline + timedelta(seconds=1))
        healing.wake(incident, given)

    since = "" if given is Answer.REJECT else ANSWERED
    outcome = walk(healing, incident, answer, least=3 if since else 13, since=since)
    assert outcome.status is (IncidentStatus.REJECTED if given is Answer.REJECT else IncidentStatus.EXPIRED)
    assert (healing.branches(), commits(healing)) == ({"main"}, before)
    assert healing.ledger.memory.actions_of(incident.id) == ()
    assert len(healing.ledger.approvals.of_incident(incident.id)) == 1


def test_one_branch_and_one_pull_request_are_offered_on_github(hosted: HostedHealing) -> None:
    incident, _ = hosted.fail_on_github()
    outcome = walk(hosted, incident, lambda: hosted.answer(incident, Answer.APPROVE), least=17)
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert len(hosted.offered()) == 1
    assert set(hosted.fake.refs) == {"main", f"healflow/{incident.id}"}
    assert len(hosted.ledger.approvals.of_incident(incident.id)) == 1
