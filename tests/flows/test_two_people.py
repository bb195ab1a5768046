"""Two people, two channels, one heal that is suspended in a Prefect server: it acts once, and only after both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.dispatcher import RunState
from deployments.slack.pressing import Press
from tasks.domain.approval import ApprovalChannel
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import ActionStatus
from tasks.domain.plan import Remedy, Risk
from tasks.errors import ConflictError
from tests.flows.doors import ADA_IN_SLACK, GRACE_IN_SLACK, Doors, open_doors
from tests.flows.healing import Healing

pytestmark = pytest.mark.prefect


@pytest.fixture
def doors(healing: Healing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    with open_doors(healing, tmp_path, monkeypatch, people_needed=2) as opened:
        yield opened


def waits_untouched(doors: Doors, incident: Incident) -> bool:
    """Nothing was woken, and nothing done, however often the dispatcher looks."""
    doors.tick()
    doors.tick()
    healing = doors.healing
    return (
        doors.state(incident) is RunState.WAITING
        and healing.branches() == {"main"}
        and healing.ledger.memory.actions_of(incident.id) == ()
    )


def healed_once(doors: Doors, incident: Incident) -> None:
    """The run was woken, acted once, and acts no second time, whatever is tried after."""
    healing = doors.healing
    doors.tick()
    assert doors.state(incident) is RunState.QUEUED
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert outcome.action_names == (Remedy.BUMP_DEPENDENCY,)
    doors.tick()
    doors.press(GRACE_IN_SLACK)
    assert healing.go_on(incident) == outcome
    assert [one.status for one in healing.story(incident).results] == [ActionStatus.APPLIED]
    assert len(healing.ledger.memory.actions_of(incident.id)) == 1
    assert doors.refusals()[-1] == ("grace", "slack", "replayed")
    assert healing.ledger.audit.verify().problem == ""


def test_one_person_through_two_channels_acts_on_nothing_and_the_second_person_acts_once(doors: Doors) -> None:
    incident = doors.ask()
    plan = doors.healing.story(incident).plan
    assert plan is not None
    assert [action.risk for action in plan.actions] == [Risk.HIGH]
    doors.type_yes(incident)
    assert waits_untouched(doors, incident), "one yes of two"
    doors.press(ADA_IN_SLACK)
    with pytest.raises(ConflictError, match="said yes before; 2 different people have to"):
        doors.type_yes(incident)
    assert waits_untouched(doors, incident), "one person, through two channels"
    assert doors.refusals() == [("ada", "slack", "same_person"), ("ada", "command_line", "same_person")]
    doors.press(GRACE_IN_SLACK)
    healed_once(doors, incident)
    approval = doors.healing.story(incident).approval
    assert approval is not None
    assert (approval.answered_by, approval.together_with, approval.verified) == ("grace", ("ada",), True)
    assert approval.channel is ApprovalChannel.SLACK


def test_button_by_one_and_page_by_the_other_are_two(
    healing: Healing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_doors(healing, tmp_path, monkeypatch, people_needed=2, link_counts=True) as doors:
        incident = doors.ask()
        doors.press(GRACE_IN_SLACK)
        assert "one more person has to say yes" in doors.slack.workspace.whispers[-1].text
        assert doors.yes_on_page(incident, "grace") == 403
        assert waits_untouched(doors, incident), "her own link is no second person"
        assert doors.refusals() == [("grace", "page", "same_person")]
        assert "said yes so far: grace" in doors.open_page(incident)[1]
        assert doors.yes_on_page(incident) == 303
        healed_once(doors, incident)
        approval = healing.story(incident).approval
        assert approval is not None
        assert (approval.answered_by, approval.together_with) == ("ada", ("grace",))
        assert approval.channel is ApprovalChannel.PAGE
        doors.show()
        (card,) = doors.slack.workspace.cards
        assert card.heading.startswith("Healed")
        assert "together with grace" in " ".join(card.texts)


def test_page_is_no_second_voice_where_policy_takes_no_link_and_one_no_outweighs_a_yes(doors: Doors) -> None:
    incident = doors.ask()
    doors.press(GRACE_IN_SLACK)
    assert doors.yes_on_page(incident) == 403
    assert waits_untouched(doors, incident)
    assert doors.refusals() == [("ada", "page", "unverified")]
    doors.press(ADA_IN_SLACK, Press.REJECT)
    (form,) = doors.slack.workspace.forms.values()
    doors.slack.submit(form, {"reason": "its interface changed"})
    doors.tick()
    outcome = doors.healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert doors.healing.branches() == {"main"}
    assert doors.healing.ledger.memory.actions_of(incident.id) == ()
