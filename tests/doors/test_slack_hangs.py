"""Slack that takes every call and answers none: people are asked elsewhere, and nothing else is held up by it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.demo.slack import SlackServer
from deployments.slack.pressing import Press
from tasks.domain.approval import Answer, ApprovalChannel
from tests.doors.test_slack_away import Reached
from tests.fakes.smtp import post_office
from tests.unit.slack.scene import GRACE


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    with SlackServer() as slack, post_office() as office:
        yield Reached(tmp_path, slack, office, timeout_seconds=1)
        slack.workspace.hanging = False


def test_question_goes_by_mail_once_slack_has_answered_nothing_for_long(reached: Reached) -> None:
    reached.slack.workspace.hanging = True
    reached.pass_time(timedelta(seconds=40), every=timedelta(seconds=8))
    assert set(reached.office.texts()) == {"ada@example.com", "grace@example.com"}
    assert reached.slack.workspace.messages == {}
    assert reached.answer_by_mail("grace@example.com") == 303
    assert reached.answered_through() == (Answer.APPROVE, ApprovalChannel.PAGE)


def test_answer_given_in_slack_counts_though_nothing_can_be_shown_there(reached: Reached) -> None:
    reached.pass_time(timedelta(seconds=2))
    (card,) = reached.slack.workspace.cards
    reached.slack.workspace.hanging = True
    assert reached.slack.press(GRACE, card.ts, Press.APPROVE).status == 200
    assert reached.answered_through() == (Answer.APPROVE, ApprovalChannel.SLACK)
    assert len(reached.ledger.approvals.to_resume()) == 1
