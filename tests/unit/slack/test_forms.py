"""Forms in Slack: a no with its reason, other values for the plan, and what becomes of a form that came too late."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.slack.pressing import Press
from tasks.domain.approval import Answer
from tests.unit.slack.scene import GRACE, Scene, in_slack


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with in_slack(tmp_path) as scene:
        yield scene


def test_no_without_a_reason_stays_open_and_answers_nothing(scene: Scene) -> None:
    form = scene.open_form(Press.REJECT)
    scene.server.submit(form, {"reason": "  "})
    assert form.errors == {"reason": "Say why, in a few words."}
    assert scene.told.trail() == []


def test_no_is_recorded_with_its_reason_and_the_card_shows_it(scene: Scene) -> None:
    form = scene.open_form(Press.REJECT)
    scene.server.submit(form, {"reason": "not before\nthe release <!channel>"})
    stored = scene.told.ledger.approvals.get(scene.told.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert (stored.answer.answer, stored.answer.reason) == (Answer.REJECT, "not before\nthe release <!channel>")
    assert not scene.card.has_buttons
    assert "not before the release" in json.dumps(scene.card.blocks)
    assert scene.workspace.forms == {}


def test_form_of_a_press_that_is_too_old_is_not_opened_and_it_is_said(scene: Scene) -> None:
    scene.show()
    trigger = scene.workspace.trigger
    scene.workspace.trigger = lambda user: _aged(scene, trigger(user))  # type: ignore[method-assign]
    scene.press(Press.REJECT)
    assert scene.workspace.forms == {}
    assert "press the button again" in scene.whispered
    assert scene.told.trail() == []


@pytest.mark.parametrize("press", [Press.REJECT, Press.EDIT])
def test_form_that_slack_limits_is_opened_after_a_moment_or_it_is_said(scene: Scene, press: Press) -> None:
    scene.show()
    scene.workspace.rate_limited = [30]
    scene.press(press)
    assert scene.workspace.forms == {}
    assert "Slack asks to wait at views.open" in scene.whispered
    scene.workspace.rate_limited = [0]
    scene.press(press)
    assert len(scene.workspace.forms) == 1
    assert scene.told.trail() == []


def _aged(scene: Scene, trigger: str) -> str:
    user, until = scene.workspace._triggers[trigger]
    scene.workspace._triggers[trigger] = (user, until - 10)
    return trigger


def test_edited_value_makes_an_edit_and_no_approval(scene: Scene) -> None:
    form = scene.open_form(Press.EDIT)
    scene.server.submit(form, {"1.until": "2026-01-09"})
    stored = scene.told.ledger.approvals.get(scene.told.request.id)
    assert stored is not None
    assert stored.answer is not None
    assert (stored.answer.answer, dict(stored.answer.edits)) == (Answer.EDIT, {"1.until": "2026-01-09"})
    assert "asks about the plan with other values" in json.dumps(scene.card.blocks)


@pytest.mark.parametrize("value", ["", "two\nlines", "x" * 201])
def test_value_that_cannot_be_one_stays_in_the_form(scene: Scene, value: str) -> None:
    form = scene.open_form(Press.EDIT)
    scene.server.submit(form, {"1.until": value})
    assert list(form.errors) == ["1.until"]
    assert scene.told.trail() == []


def test_form_without_a_change_does_nothing(scene: Scene) -> None:
    scene.server.submit(scene.open_form(Press.EDIT), {})
    assert "no value was changed" in scene.whispered
    assert scene.told.trail() == []


def test_value_that_may_not_be_changed_does_nothing(scene: Scene) -> None:
    form = scene.open_form(Press.EDIT)
    form.view["blocks"][1]["block_id"] = "1.file"
    scene.server.submit(form, {"1.file": "deploy/prod.yaml"})
    assert "cannot be changed" in scene.whispered
    assert scene.told.trail() == []


@pytest.mark.parametrize(
    ("press", "values"), [(Press.REJECT, {"reason": "no"}), (Press.EDIT, {"1.until": "2026-01-09"})]
)
def test_form_sent_after_the_deadline_does_nothing(scene: Scene, press: Press, values: dict[str, str]) -> None:
    form = scene.open_form(press)
    scene.later(hours=2)
    scene.server.submit(form, values)
    assert not scene.told.settled
    assert "silence was taken as no" in scene.whispered
    assert scene.told.trail() == ["answer.refused"]


@pytest.mark.parametrize("press", [Press.REJECT, Press.EDIT])
@pytest.mark.parametrize(
    "change", [{"nonce": "guessed"}, {"plan_digest": "x" * 64}, {"request_id": "inc-none-q"}, None]
)
def test_form_whose_ticket_was_altered_does_nothing(scene: Scene, press: Press, change: dict[str, str] | None) -> None:
    form = scene.open_form(press)
    ticket = json.loads(form.view["private_metadata"])
    form.view["private_metadata"] = json.dumps(ticket | change) if change else "x" * 3_000
    scene.server.submit(form, {"reason": "no"} if press is Press.REJECT else {"1.until": "2026-01-09"})
    assert not scene.told.settled
    assert "answer.recorded" not in scene.told.trail()
    shown = scene.told.ledger.approvals.get(scene.told.request.id)
    assert shown is not None
    assert shown.votes == ()


def test_nothing_can_be_edited_once_it_is_answered(scene: Scene) -> None:
    scene.press(user=GRACE)
    scene.press(Press.EDIT)
    assert scene.workspace.forms == {}
    assert "Nothing can be edited: the question is approved" in scene.whispered
