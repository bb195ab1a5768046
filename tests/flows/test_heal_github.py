"""The heal of a run on GitHub, from its log to a pull request or a new attempt; what must not be written first."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from deployments.comments import Comments
from deployments.demo.project import DemoRepository
from deployments.dispatcher import RunState
from deployments.gateway import make_app
from deployments.prefect_runs import PrefectRuns
from flows.undo import undo_heal
from tasks.clients.github import GithubClient
from tasks.domain.approval import Answer, ApprovalChannel
from tasks.domain.incident import Incident, IncidentStatus
from tasks.verify import task as verify_task
from tasks.verify import verify_attempt
from tests.fakes.github import REPOSITORY, TOKEN, serving
from tests.flows.doors import PatientDispatcher
from tests.flows.hosted import LOST, HostedHealing
from tests.unit.comments.remarks import deliver, remark

pytestmark = pytest.mark.prefect


@pytest.fixture
def healing(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedHealing]:
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    with serving() as fake:
        monkeypatch.setenv("HEALFLOW_GITHUB__API_URL", fake.api_url)
        monkeypatch.setenv("HEALFLOW_GITHUB__GIT_URL", (tmp_path / "remotes").as_uri())
        monkeypatch.setenv("HEALFLOW_GITHUB__TOKEN", TOKEN)
        monkeypatch.setenv("HEALFLOW_GITHUB__SECONDS_BETWEEN_WRITES", "0")
        repository = DemoRepository(tmp_path / "shop")
        repository.create()
        yield HostedHealing(repository, fake, tmp_path / "remotes")


def test_a_run_of_a_fork_is_explained_and_nothing_is_written(healing: HostedHealing) -> None:
    incident, _ = healing.fail_on_github(head_repository="mallory/shop")
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED
    assert "fork" in outcome.summary
    assert healing.fake.writes == []
    assert healing.story(incident).diagnosis is not None


def test_a_rejected_plan_writes_nothing(healing: HostedHealing) -> None:
    incident, _ = healing.fail_on_github()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.REJECT)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert healing.fake.writes == []


def test_a_branch_that_moved_while_the_plan_waited_voids_it(healing: HostedHealing) -> None:
    incident, _ = healing.fail_on_github()
    assert healing.start(incident) is None
    healing.repository.break_a_test()
    healing.push()
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "the plan is void" in outcome.summary
    assert healing.fake.writes == []


def test_a_fix_that_may_not_be_offered_leaves_nothing_behind(healing: HostedHealing) -> None:
    healing.fake.permissions["contents"] = "read"
    incident, _ = healing.fail_on_github()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "contents: write" in outcome.summary
    assert set(healing.fake.refs) == {"main"}
    assert healing.offered() == []


def test_an_unproven_fix_is_offered_as_such_and_goes_to_a_person(
    healing: HostedHealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_GITHUB__PROVE_HERE", "false")
    incident, _ = healing.fail_on_github()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    (opened,) = healing.offered()
    assert "**Not proven:**" in str(opened["body"])


def test_a_proven_fix_becomes_a_pull_request_and_can_be_taken_back(healing: HostedHealing) -> None:
    incident, _ = healing.fail_on_github()
    tip = healing.tip()
    assert healing.start(incident) is None
    assert healing.fake.writes == []
    healing.answer(incident, Answer.APPROVE_AND_MERGE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert not outcome.merged
    (opened,) = healing.offered()
    assert opened["base"]["ref"] == "main"  # type: ignore[index]
    assert "**Proven.**" in str(opened["body"])
    assert healing.fake.refs["main"] == tip
    assert str(opened["html_url"]) in outcome.summary
    undo_heal(healing.settings, incident.id, by="ada")
    assert set(healing.fake.refs) == {"main"}
    assert [one["state"] for one in healing.offered()] == ["closed"]


def test_comment_of_a_stranger_or_a_bot_acts_on_nothing_and_of_who_may_write_once(healing: HostedHealing) -> None:
    healing.fake.people |= {"mallory": "read", "alan-t": "write"}
    incident, _ = healing.fail_on_github()
    assert healing.start(incident) is None
    app, dispatcher = make_app(healing.settings, healing.ledger, "s3cret"), PatientDispatcher(healing)
    now = datetime.now(UTC)
    with GithubClient.from_settings(healing.settings.github) as github:

        def comment(number: int, login: str, **changes: object) -> None:
            said = remark(f"/healflow approve {incident.id}", login=login, at=now, number=number)
            said["comment"]["commit_id"] = healing.tip()
            said.pop("issue")
            assert deliver(app, said | changes, event="commit_comment", secret="s3cret", delivery=f"d{number}") == 202
            Comments(healing.ledger, healing.settings, github).tick(now)
            dispatcher.tick()

        comment(1, "mallory")
        comment(2, "alan-t", sender={"login": "alan-t", "type": "Bot"})
        comment(3, "alan-t", action="edited")
        assert dispatcher_sees(healing, incident) is RunState.WAITING
        assert healing.fake.writes == []
        comment(4, "alan-t")
        assert dispatcher_sees(healing, incident) is RunState.QUEUED
        outcome = healing.go_on(incident)
        assert outcome is not None
        assert outcome.status is IncidentStatus.HEALED, outcome.summary
        comment(5, "alan-t")
    assert healing.go_on(incident) == outcome
    assert len(healing.offered()) == 1
    approval = healing.story(incident).approval
    assert approval is not None
    assert (approval.answered_by, approval.verified, approval.channel) == ("alan-t", True, ApprovalChannel.GITHUB)
    replies = [str(one["body"]).partition("\n")[2] for one in healing.fake.comments.values()]
    assert replies[0] == "alan-t: recorded: approve."
    assert replies[1].startswith(f"Nothing was done: {incident.id} was already answered: approve by alan-t")


def dispatcher_sees(healing: HostedHealing, incident: Incident) -> RunState:
    run_id = healing.ledger.incidents.get(incident.id).flow_run_id
    assert run_id is not None
    return PrefectRuns().state(run_id)


def test_a_lost_runner_is_healed_by_one_new_attempt(healing: HostedHealing, monkeypatch: pytest.MonkeyPatch) -> None:
    incident, run_id = healing.fail_on_github(LOST)

    def end_it(_seconds: float) -> None:
        healing.fake.runs[run_id][1].update(status="completed", conclusion="success")
        healing.fake.job(run_id, "lint", conclusion="success")

    monkeypatch.setattr(verify_task, "verify_attempt", partial(verify_attempt, wait=end_it))
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    assert len(healing.fake.runs[run_id]) == 2
    assert [request.path.rpartition("/")[2] for request in healing.fake.writes] == ["rerun-failed-jobs"]


def open_request(healing: HostedHealing) -> int:
    """A pull request from the failing branch, as its author opened it."""
    number = healing.fake.next_id()
    side = {"ref": "main", "sha": healing.tip(), "repo": {"id": 1, "full_name": REPOSITORY}}
    healing.fake.pulls[number] = {
        "number": number,
        "html_url": f"https://github.example/{REPOSITORY}/pull/{number}",
        "title": "Change the cart",
        "body": "",
        "state": "open",
        "merged": False,
        "merged_at": None,
        "mergeable": True,
        "head": side,
        "base": {**side, "ref": "release"},
    }
    return number


@pytest.mark.parametrize(("setting", "value"), [("GITHUB__COMMENT", "false"), ("KILL_SWITCH", "true")])
def test_nothing_is_written_on_the_pull_request_when_it_may_not_be(
    healing: HostedHealing, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(f"HEALFLOW_{setting}", value)
    incident, _ = healing.fail_on_github(pull_request=open_request(healing))
    healing.start(incident)
    assert healing.fake.comments == {}


def test_closed_pull_request_is_left_alone(healing: HostedHealing) -> None:
    number = open_request(healing)
    healing.fake.pulls[number]["state"] = "closed"
    incident, _ = healing.fail_on_github(pull_request=number)
    assert healing.start(incident) is None
    assert healing.fake.comments == {}


def test_comment_that_is_refused_stops_no_heal(healing: HostedHealing) -> None:
    healing.fake.fail("POST", ".*/comments", 403, times=9)
    incident, _ = healing.fail_on_github(pull_request=open_request(healing))
    assert healing.start(incident) is None
    assert any("could not write on GitHub" in entry.what for entry in healing.story(incident).timeline)


def test_pull_request_gets_one_comment_that_is_renewed_and_the_commit_its_status(
    healing: HostedHealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALFLOW_GITHUB__STATUS", "true")
    incident, _ = healing.fail_on_github(pull_request=open_request(healing))
    commit = incident.signal.commit
    assert healing.start(incident) is None
    (comment,) = healing.fake.comments.values()
    assert "ci.lint" in comment["body"]
    assert f"`/healflow approve {incident.id}`" in comment["body"]
    assert [status["state"] for status in healing.fake.statuses[commit]][-1:] == ["pending"]
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED, outcome.summary
    (comment,) = healing.fake.comments.values()
    assert "**Healed.**" in comment["body"]
    assert {"pending", "success"} == {status["state"] for status in healing.fake.statuses[commit]}
    undo_heal(healing.settings, incident.id, by="ada")
    assert len(healing.fake.comments) == 1
