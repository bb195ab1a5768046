"""`healflow approve-link`: for people who are known, for a question that waits, and in the audit trail."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.app import app
from deployments.home import Home, local_user
from tasks.approve import read_link
from tasks.domain.approval import Answer
from tasks.settings import Settings
from tests.unit.approve.asking import PEOPLE
from tests.unit.approve.telling import Told


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    listed = [person.model_dump(mode="json") for person in PEOPLE]
    monkeypatch.setenv("HEALFLOW_APPROVALS__PEOPLE", json.dumps(listed))
    monkeypatch.setenv("HEALFLOW_APPROVALS__PUBLIC_URL", "https://heal.example.com")
    return Told(tmp_path / "home")


def made(asked: Told) -> list[str]:
    return [entry.actor for entry in asked.ledger.audit.entries() if entry.kind == "link.made"]


def test_nobody_unknown_gets_a_link(asked: Told) -> None:
    told = CliRunner().invoke(app, ["approve-link", asked.incident.id, "--person", "mallory"])
    assert told.exit_code != 0
    assert "nobody is called 'mallory'" in str(told.exception)
    assert made(asked) == []


def test_question_that_is_answered_gets_no_link(asked: Told) -> None:
    asked.say(Answer.REJECT)
    told = CliRunner().invoke(app, ["approve-link", asked.incident.id, "--person", "ada"])
    assert told.exit_code != 0
    assert "waits for no answer" in str(told.exception)
    assert made(asked) == []


@pytest.mark.parametrize(("person", "whose"), [(["--person", "ada"], "ada"), ([], f"local:{local_user()}")])
def test_link_names_its_person_and_its_maker_and_shows_neither_key_nor_nonce(
    asked: Told, person: list[str], whose: str
) -> None:
    told = CliRunner().invoke(app, ["approve-link", asked.incident.id, *person])
    assert told.exit_code == 0, told.exception
    address, said = told.stdout.strip(), told.stderr
    assert address.startswith("https://heal.example.com/approve/")
    assert f"For {whose}, until" in said
    link = read_link(address.rsplit("/", 1)[1], Home(Settings()).link_key())
    assert (link.person, link.made_by, link.request_id) == (whose, f"local:{local_user()}", asked.request.id)
    assert made(asked) == [f"local:{local_user()}"]
    trail = "".join(entry.document for entry in asked.ledger.audit.entries())
    assert asked.request.nonce not in trail
    assert Home(Settings()).link_key().decode() not in told.output
