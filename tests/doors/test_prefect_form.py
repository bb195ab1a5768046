"""Prefect's own form, sent in headless Chromium: the heal that it wakes goes on, or is not let to."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.domain.approval import Answer, Approval, ApprovalChannel, IdentityKind
from tasks.domain.incident import Incident, IncidentStatus
from tests.doors.browsing import Browser, needs_chromium
from tests.doors.killing import Stage
from tests.doors.prefect_form import ResumeForm

pytestmark = [needs_chromium, pytest.mark.prefect]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("forms"))
    yield made
    made.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    opened = Browser(tmp_path, scripts=True, height=1500)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The formatter that the repository's workflow runs."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def ask(stage: Stage, *, typed_name_counts: bool) -> Incident:
    """A heal that waits for an answer, under a policy that takes a name which nobody vouches for, or does not."""
    data = json.loads((stage.policy / "data.json").read_text())
    data["approval"]["local"]["usual"]["typed_name_counts"] = typed_name_counts
    (stage.policy / "data.json").write_text(json.dumps(data))
    incident, run_id = stage.break_something()
    stage.report(run_id)
    stage.wait(lambda: stage.suspended(incident))
    return incident


def open_form(stage: Stage, browser: Browser, incident: Incident) -> ResumeForm:
    run_id = stage.ledger.incidents.get(incident.id).flow_run_id
    assert run_id is not None
    return ResumeForm(browser, stage.up.holder().prefect_url, run_id)


def answer_of(stage: Stage, incident: Incident) -> Approval | None:
    (question,) = stage.ledger.approvals.of_incident(incident.id)
    return question.answer


def refusals(stage: Stage, incident: Incident) -> list[tuple[str, str, str]]:
    """Who was refused, through which channel and why."""
    entries = [one for one in stage.ledger.audit.entries(incident_id=incident.id) if one.kind == "answer.refused"]
    documents = [json.loads(entry.document) for entry in entries]
    return [(entry.actor, told["channel"], told["refusal"]) for entry, told in zip(entries, documents, strict=True)]


def untouched(stage: Stage, incident: Incident) -> bool:
    return stage.commits_of(incident) == [] and stage.ledger.memory.actions_of(incident.id) == ()


def test_form_without_an_answer_is_not_sent_and_with_a_yes_the_heal_goes_on(stage: Stage, browser: Browser) -> None:
    incident = ask(stage, typed_name_counts=True)
    form = open_form(stage, browser, incident)
    for told in (incident.id, "+price = 1", "Nobody while the fix stands on a branch of its own"):
        assert told in form.text
    form.press()
    stage.wait(lambda: "'answer' is a required property" in form.text)
    assert stage.suspended(incident)
    assert answer_of(stage, incident) is None

    form.send("approve_and_merge", approver="Grace Hopper")
    stage.wait(lambda: stage.status(incident).ended)
    stage.check_healed_once(incident)
    given = answer_of(stage, incident)
    assert given is not None
    assert (given.answer, given.channel) == (Answer.APPROVE_AND_MERGE, ApprovalChannel.PREFECT_UI)
    assert (given.answered_by, given.verified) == ("Grace Hopper", False)
    assert given.identity is not None
    assert given.identity.kind is IdentityKind.TYPED


def test_yes_of_a_typed_name_that_policy_refuses_does_nothing_and_a_no_ends_it(stage: Stage, browser: Browser) -> None:
    incident = ask(stage, typed_name_counts=False)
    open_form(stage, browser, incident).send("approve_and_merge", approver="Grace Hopper")
    stage.wait(lambda: refusals(stage, incident) != [] and stage.suspended(incident))
    assert refusals(stage, incident) == [("typed:Grace Hopper", "prefect_ui", "unverified")]
    assert answer_of(stage, incident) is None
    assert untouched(stage, incident)

    again = open_form(stage, browser, incident)
    assert "The last answer: nobody vouches for the typed name" in again.text
    again.send("reject", reason="not before the release", approver="Grace Hopper")
    stage.wait(lambda: stage.status(incident).ended)
    assert stage.status(incident) is IncidentStatus.REJECTED
    given = answer_of(stage, incident)
    assert given is not None
    assert (given.answer, given.reason) == (Answer.REJECT, "not before the release")
    assert (given.answered_by, given.verified, given.channel) == ("Grace Hopper", False, ApprovalChannel.PREFECT_UI)
    assert untouched(stage, incident)
    assert stage.ledger.audit.verify().problem == ""
