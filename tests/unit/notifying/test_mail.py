"""Mail: nothing goes out unencrypted or to somebody else, and what may pass by itself is told from what may not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from deployments.notifying import Reference, open_channels
from deployments.notifying.mailing import MailChannel
from deployments.notifying.plain import card_text, decision_text
from tasks.approve import read_link
from tasks.domain.approval import Answer, Person
from tasks.domain.incident import IncidentStatus
from tasks.errors import PermanentError, TransientError
from tasks.settings import MailSettings, Settings
from tests.fakes.smtp import PostOffice, certificate, post_office
from tests.unit.approve.telling import Told, quarantine

KEY = b"a key for tests, long enough"
ADA = Person(name="ada", email="ada@example.com")
GRACE = Person(name="grace", email="grace@example.com")


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as opened:
        yield opened


def settings(office: PostOffice, **changes: Any) -> Settings:
    mail = {"host": "127.0.0.1", "port": office.port, "security": "none", "sender": "healflow@example.com"}
    people = (ADA, GRACE, Person(name="alan"))
    return Settings.model_validate(
        {"approvals": {"people": people}, "mail": {**mail, "recipients": ["team@example.com"], **changes}}
    )


def channel(office: PostOffice, **changes: Any) -> MailChannel:
    return MailChannel(settings(office, **changes), link_key=KEY, gateway_url="https://heal.example.com")


def test_no_link_goes_over_the_network_unencrypted() -> None:
    with pytest.raises(ValidationError, match="on this machine only"):
        MailSettings(host="mail.example.com", sender="a@example.com", security="none")


def test_server_that_offers_no_encryption_gets_neither_login_nor_mail(office: PostOffice, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="HEALFLOW_MAIL__SECURITY"):
        channel(office, security="starttls", user="u", password="p").send(Told(tmp_path).card())
    assert not any(command.startswith(("AUTH", "MAIL", "RCPT", "DATA")) for command in office.commands)


def test_server_whose_certificate_nobody_trusts_gets_neither(office: PostOffice, tmp_path: Path) -> None:
    _, office.context = certificate(tmp_path)
    with pytest.raises(PermanentError, match="no certificate that can be trusted"):
        channel(office, security="starttls", user="u", password="p").send(Told(tmp_path).card())
    assert not any(command.startswith(("AUTH", "MAIL", "RCPT", "DATA")) for command in office.commands)


def test_trusted_server_gets_login_and_mail(
    office: PostOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, office.context = certificate(tmp_path)
    office.features.append("AUTH PLAIN")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    channel(office, security="starttls", user="u", password="p").send(Told(tmp_path).card())
    assert len(office.mails) == 3
    office.replies["AUTH"] = "535 wrong"
    with pytest.raises(PermanentError, match="refuses the login"):
        channel(office, security="starttls", user="u", password="p").send(Told(tmp_path / "other").card())


def test_each_person_gets_a_link_of_their_own_and_a_list_gets_none(office: PostOffice, tmp_path: Path) -> None:
    asked = Told(tmp_path)
    channel(office).send(asked.card())
    texts = office.texts()
    assert set(texts) == {"ada@example.com", "grace@example.com", "team@example.com"}
    for name in ("ada", "grace"):
        text = texts[f"{name}@example.com"]
        assert text.count("/approve/") == 1
        link = read_link(text.partition("/approve/")[2].split()[0], KEY)
        assert (link.person, link.made_by) == (name, f"email:{name}@example.com")
    assert "/approve/" not in texts["team@example.com"]
    assert f"healflow approve {asked.incident.id}" in texts["team@example.com"]


def test_somebody_who_may_not_answer_gets_no_link(office: PostOffice, tmp_path: Path) -> None:
    channel(office).send(Told(tmp_path, approvers=["grace"]).card())
    assert set(office.texts()) == {"grace@example.com", "team@example.com"}


def test_nobody_to_write_to_is_said(office: PostOffice, tmp_path: Path) -> None:
    nobody = Settings.model_validate({"mail": settings(office, recipients=[]).mail})
    with pytest.raises(PermanentError, match="nobody to write to"):
        MailChannel(nobody, link_key=KEY, gateway_url="http://x").send(Told(tmp_path).card())
    assert office.mails == []


def test_title_with_line_breaks_adds_no_header(office: PostOffice, tmp_path: Path) -> None:
    action = quarantine(summary="Skip it\r\nBcc: mallory@example.com\n\nhello")
    channel(office).send(Told(tmp_path, actions=(action,)).card())
    for _, mail in office.mails:
        assert mail["Bcc"] is None
        assert mail["Subject"].endswith("Skip it Bcc: mallory@example.com hello")
    assert not any("mallory" in command for command in office.commands if command.startswith("RCPT"))


def test_mail_sent_again_is_the_same_mail_and_what_follows_stands_below_it(office: PostOffice, tmp_path: Path) -> None:
    asked = Told(tmp_path)
    first = channel(office).send(asked.card())
    channel(office).send(asked.card())
    ids = [(to, mail["Message-ID"]) for to, mail in office.mails]
    assert len(ids) == 6
    assert len(set(ids)) == 3
    office.mails.clear()
    channel(office).update(first, asked.card())
    assert office.mails == [], "nothing has changed"
    asked.say(Answer.REJECT, "ada", reason="not now")
    asked.end(IncidentStatus.REJECTED)
    channel(office).update(first, asked.card())
    assert {(to, mail["In-Reply-To"]) for to, mail in office.mails} == set(ids)
    assert "Decided by ada on the command line, at" in office.texts()["grace@example.com"]
    assert "not now" in office.texts()["grace@example.com"]


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ({"RCPT": "450 mailbox busy"}, TransientError),
        ({"RCPT": "550 no such user"}, PermanentError),
        ({"MAIL": "451 later"}, TransientError),
        ({"MAIL": "553 not you"}, PermanentError),
        ({"DATA": "421 going away"}, TransientError),
        ({"DATA": "554 spam"}, PermanentError),
    ],
)
def test_refusal_that_may_pass_is_told_from_one_that_does_not(
    office: PostOffice, tmp_path: Path, replies: dict[str, str], kind: type[Exception]
) -> None:
    office.replies.update(replies)
    with pytest.raises(kind):
        channel(office).send(Told(tmp_path).card())
    assert office.mails == []


def test_one_address_that_is_refused_keeps_no_other_from_its_mail(office: PostOffice, tmp_path: Path) -> None:
    office.replies["RCPT ada@example.com"] = "550 no such user"
    channel(office).send(Told(tmp_path).card())
    assert set(office.texts()) == {"grace@example.com", "team@example.com"}


def test_server_that_is_away_busy_or_hangs_may_be_tried_again(office: PostOffice, tmp_path: Path) -> None:
    card = Told(tmp_path).card()
    office.greeting = "421 too many"
    with pytest.raises(TransientError):
        channel(office).send(card)
    office.greeting, office.hanging = "220 hello", True
    with pytest.raises(TransientError):
        channel(office, timeout_seconds=1).send(card)
    with pytest.raises(TransientError, match="does not answer"):
        channel(office, port=1).send(card)


def test_channels_that_are_not_set_up_are_left_out_and_the_log_is_always_there(office: PostOffice) -> None:
    def names(given: Settings) -> list[str]:
        return [one.name for one in open_channels(given, link_key=KEY, gateway_url="http://x")]

    assert names(Settings()) == ["log"]
    assert names(settings(office)) == ["email", "log"]
    in_slack = Settings.model_validate({"slack": {"bot_token": "xoxb-1", "channel": "C0123456"}})
    assert names(in_slack) == ["slack", "log"]
    only_slack = Settings.model_validate({"approvals": {"channels": ["slack"]}})
    assert names(only_slack) == ["log"]


def test_outside_text_cannot_forge_a_line_of_a_mail(tmp_path: Path) -> None:
    forged = "x\n\nAnswer here; the link is yours alone:\u2028https://evil.example\x1b[2J\u202e"
    action = quarantine(summary=forged, undo=forged, target=forged, preview=f"+{forged}\n")
    told = Told(tmp_path, actions=(action,))
    told.say(Answer.REJECT)
    changes = {"what_broke": forged, "place": forged, "unread": (forged,), "affected": (forged,), "outcome": forged}
    card = told.card().model_copy(update={**changes, "asked_because": forged})
    assert card.answer is not None
    card = card.model_copy(update={"answer": card.answer.model_copy(update={"reason": forged})})
    for text in (card_text(card), decision_text(card)):
        assert "https://evil.example" in text
        assert not any(line.startswith(("Answer here", "https:")) for line in text.splitlines())
        assert all(line.isprintable() for line in text.splitlines())


def test_outside_text_cannot_forge_a_line_of_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from deployments.notifying.logging_channel import LogChannel

    asked = Told(tmp_path, actions=(quarantine(summary="Skip it\n2026-01-02 WARNING healflow: approved\x1b[2J"),))
    reference = LogChannel().send(asked.card())
    LogChannel().say(reference, "a\nb")
    assert reference == Reference(channel="log", place="", message=asked.request.id)
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert "\x1b" not in record.getMessage()
    assert f"healflow show {asked.incident.id}" in caplog.records[0].getMessage()
