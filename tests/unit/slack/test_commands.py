"""`/healflow`: the same checks and the same record as everywhere, and only the one who asked sees the answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.demo.slack.limits import texts_of
from tasks.domain.approval import Answer, ApprovalChannel
from tasks.domain.incident import IncidentStatus, open_incident
from tests.unit.slack.scene import GRACE, MALLORY, Scene, in_slack


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with in_slack(tmp_path) as scene:
        yield scene


@pytest.mark.parametrize("text", ["", "help", "approve", "reject", "undo inc", "approve-all inc"])
def test_command_that_says_nothing_clear_does_nothing(scene: Scene, text: str) -> None:
    assert scene.server.command(GRACE, text).status == 200
    assert "/healflow approve ID" in scene.whispered
    assert scene.told.trail() == []


def test_unknown_incident_is_said(scene: Scene) -> None:
    scene.server.command(GRACE, "approve inc-none")
    assert "Nothing was done: no incident has the id" in scene.whispered.replace("\u200b", "")


def test_beginning_of_an_id_answers_nothing(scene: Scene) -> None:
    whole = scene.told.incident.id
    for beginning in (whole[:-1], "inc", whole[:5], scene.told.request.id[:-1]):
        scene.server.command(GRACE, f"approve {beginning}")
        assert "Nothing was done: no incident" in scene.whispered
    assert f"is {whole} meant?" in whispered_after(scene, f"approve {whole[:-1]}")
    assert not scene.told.settled
    assert scene.told.trail() == []


def test_question_is_named_where_several_wait_and_nothing_is_taken_before(scene: Scene) -> None:
    told = scene.told
    other = told.request.model_copy(update={"id": f"{told.incident.id}-other", "plan_digest": "o" * 64, "nonce": "o"})
    told.ledger.approvals.ask(other)
    said = whispered_after(scene, f"approve {told.incident.id}")
    assert "several questions about" in said
    assert told.request.id in said
    assert other.id in said
    assert told.trail() == []
    scene.server.command(GRACE, f"approve {told.request.id}")
    assert told.settled
    stored = told.ledger.approvals.get(other.id)
    assert stored is not None
    assert stored.answer is None, "the other one still waits"


def test_incident_that_was_never_asked_about_takes_no_answer(scene: Scene) -> None:
    signal = scene.told.incident.signal.model_copy(update={"delivery_id": "another", "title": "another"})
    opened = scene.told.ledger.incidents.open(open_incident(signal, now=scene.moment))
    assert "waits for no answer: it is open" in whispered_after(scene, f"approve {opened.id}")


def whispered_after(scene: Scene, text: str) -> str:
    """What the person who gave a command was told, without the spaces that keep it from being markup."""
    scene.server.command(GRACE, text)
    return scene.whispered.replace("\u200b", "")


@pytest.mark.parametrize("text", ["approve {}", "reject {} no", "show {}", "incidents", "approve inc"])
def test_somebody_of_another_workspace_answers_nothing_and_is_told_nothing(scene: Scene, text: str) -> None:
    scene.server.command(MALLORY, text.format(scene.told.incident.id), team="T0OTHER")
    assert "people of other workspaces" in scene.whispered
    assert scene.told.incident.id not in scene.whispered
    assert not scene.told.settled
    assert scene.told.trail() == ["answer.refused"] * (text.split(maxsplit=1)[0] in ("approve", "reject"))


def test_no_needs_a_reason(scene: Scene) -> None:
    scene.server.command(GRACE, f"reject {scene.told.incident.id}")
    assert "Say why" in scene.whispered
    assert not scene.told.settled


def test_somebody_whom_policy_does_not_name_approves_nothing(tmp_path: Path) -> None:
    with in_slack(tmp_path, approvers=["ada"]) as scene:
        scene.server.command(GRACE, f"approve {scene.told.incident.id}")
        assert "policy lets ada answer this" in scene.whispered
        assert not scene.told.settled
        assert scene.told.trail() == ["answer.refused"]


def test_command_after_the_end_is_refused(scene: Scene) -> None:
    scene.told.ledger.incidents.set_status(scene.told.incident.id, IncidentStatus.ESCALATED)
    scene.server.command(GRACE, f"approve {scene.told.incident.id}")
    assert "has moved on" in scene.whispered
    assert not scene.told.settled


@pytest.mark.parametrize(
    ("text", "answer", "reason"),
    [
        ("approve {}", Answer.APPROVE, ""),
        ("APPROVE-AND-MERGE {}", Answer.APPROVE_AND_MERGE, ""),
        ("reject {} not before the release", Answer.REJECT, "not before the release"),
    ],
)
def test_answer_is_recorded_and_told(scene: Scene, text: str, answer: Answer, reason: str) -> None:
    scene.server.command(GRACE, text.format(scene.told.incident.id))
    stored = scene.told.ledger.approvals.get(scene.told.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert (stored.answer.answer, stored.answer.reason, stored.answer.channel) == (
        answer,
        reason,
        ApprovalChannel.SLACK,
    )
    assert "Skip the flaky test" in scene.whispered


def test_incidents_are_listed_and_shown(scene: Scene) -> None:
    scene.server.command(GRACE, "incidents")
    assert scene.told.incident.id in scene.whispered
    scene.server.command(GRACE, f"show {scene.told.incident.id}")
    assert "test_total fails now and then" in "\n".join(texts_of(scene.workspace.whispers[-1].blocks))
    assert scene.workspace.cards == []
