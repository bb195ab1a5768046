"""Slack away: the question goes where people still are, its answer counts, and Slack shows it all once it is back.

Over the real gateway and the real channels, to a Slack and a mail server on loopback; only the notifier's clock is the
test's.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from deployments.demo.slack import SlackServer
from deployments.gateway import make_app
from deployments.notifying import Notifier, open_channels
from deployments.notifying.notifier import LONGEST_PAUSE
from deployments.slack.pressing import Press
from tasks.domain.approval import Answer, ApprovalChannel, Person
from tasks.settings import Settings
from tests.doors.paging import KEY, seal_of
from tests.fakes.smtp import PostOffice, post_office
from tests.unit.approve.telling import Told
from tests.unit.slack.scene import GRACE

PEOPLE = (
    Person(name="ada", slack="U0ADA", local="ada", email="ada@example.com"),
    Person(name="grace", slack="U0GRACE", local="grace", email="grace@example.com"),
)


class Reached(Told):
    """A question, and the people who are reached in Slack or else by mail."""

    def __init__(self, folder: Path, slack: SlackServer, office: PostOffice, **of_slack: Any) -> None:
        super().__init__(folder, at=datetime.now(UTC))
        mail = {"host": "127.0.0.1", "port": office.port, "security": "none", "sender": "healflow@example.com"}
        approvals = {"people": PEOPLE, "channels": ["slack", "email", "log"]}
        given = {"home": folder, "approvals": approvals, "mail": mail, "slack": slack.settings(**of_slack)}
        self.settings = Settings.model_validate(given)
        self.slack, self.office, self.now = slack, office, self.at
        app = make_app(self.settings, self.ledger, "secret", link_key=KEY)
        self.browser = TestClient(app, base_url="http://gateway")
        slack.deliver = self._deliver
        channels = open_channels(self.settings, link_key=KEY, gateway_url="http://gateway")
        self.notifier = Notifier(self.ledger, channels, self.settings)
        self.ledger.cards.want(self.request.id, self.incident.id, at=self.at)

    def _deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        told = self.browser.post(path, content=body, headers=dict(headers))
        return told.status_code, told.content

    def pass_time(self, span: timedelta, *, every: timedelta = timedelta(seconds=1)) -> None:
        """Let the notifier tick for so long."""
        until = self.now + span
        while self.now < until:
            self.notifier.tick(self.now)
            self.now += every

    def answer_by_mail(self, to: str) -> int:
        """Follow the link in somebody's mail, and press Approve; the status of the answer."""
        path = self.office.texts()[to].partition("http://gateway")[2].split()[0]
        form = {"seal": seal_of(self.browser.get(path).text), "answer": "approve"}
        return self.browser.post(path, data=form, follow_redirects=False).status_code

    def answered_through(self) -> tuple[Answer, ApprovalChannel] | None:
        stored = self.ledger.approvals.get(self.request.id)
        assert stored is not None
        return (stored.answer.answer, stored.answer.channel) if stored.answer else None


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    with SlackServer() as slack, post_office() as office:
        yield Reached(tmp_path, slack, office)


def test_question_goes_by_mail_while_slack_is_away_and_is_answered_there(
    reached: Reached, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reached.slack.workspace.outage = True
    reached.pass_time(timedelta(seconds=5))
    assert reached.office.mails == [], "a moment without Slack makes no mail"
    reached.pass_time(timedelta(seconds=25))
    assert set(reached.office.texts()) == {"ada@example.com", "grace@example.com"}
    assert len(reached.office.mails) == 2, "each once"
    said = [record.message for record in caplog.records if record.name == "healflow.notifier"]
    assert any("no card over slack" in line and "email is next" in line for line in said)

    assert reached.answer_by_mail("grace@example.com") == 303
    assert reached.answered_through() == (Answer.APPROVE, ApprovalChannel.PAGE)
    assert len(reached.ledger.approvals.to_resume()) == 1, "the heal goes on, whatever Slack does"
    reached.pass_time(timedelta(seconds=5))
    assert "Decided by grace" in reached.office.texts()["ada@example.com"]

    reached.slack.workspace.outage = False
    reached.pass_time(LONGEST_PAUSE, every=timedelta(seconds=10))
    assert reached.slack.workspace.messages == {}, "what was answered is asked nowhere else"


def test_question_asked_after_slack_is_back_is_asked_in_slack(tmp_path: Path, reached: Reached) -> None:
    reached.slack.workspace.outage = True
    reached.pass_time(timedelta(seconds=30))
    reached.slack.workspace.outage = False
    later = Reached(tmp_path / "later", reached.slack, reached.office)
    sent = len(reached.office.mails)
    later.pass_time(timedelta(seconds=3))
    assert len(later.slack.workspace.cards) == 1
    assert len(later.office.mails) == sent
    assert later.slack.press(GRACE, later.slack.workspace.cards[0].ts, Press.APPROVE).status == 200
    assert later.answered_through() == (Answer.APPROVE, ApprovalChannel.SLACK)


def test_answer_given_elsewhere_while_slack_is_away_is_shown_there_later_and_counts_once(reached: Reached) -> None:
    workspace = reached.slack.workspace
    reached.pass_time(timedelta(seconds=3))
    (card,) = workspace.cards
    workspace.outage = True
    assert reached.say(Answer.APPROVE, "ada").settles
    reached.act("skipped the test")
    reached.pass_time(timedelta(seconds=60))
    assert card.heading.startswith("Approval wanted"), "nobody can tell Slack"
    assert len(reached.ledger.approvals.to_resume()) == 1, "the heal goes on"
    assert reached.slack.press(GRACE, card.ts, Press.APPROVE).status == 200
    assert reached.trail() == ["answer.recorded", "answer.refused"], "the second yes counts for nothing"

    workspace.outage = False
    reached.pass_time(LONGEST_PAUSE, every=timedelta(seconds=10))
    assert [message.heading for message in workspace.cards] == [card.heading], "renewed in its place"
    assert card.heading.startswith("Approved")
    assert any("by ada" in text for text in card.texts)
    assert sum("skipped the test" in line for line in workspace.thread(card.ts)) == 1
