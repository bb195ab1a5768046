"""The heal flow, branch by branch: what must not happen first."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.approve import answer_question, attempt_at, expire, identify
from tasks.domain.approval import Answer, ApprovalChannel, IdentityKind, Refusal
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import ActionStatus
from tasks.errors import BadInputError, ConflictError
from tasks.gate.policy import DEFAULT_POLICY
from tasks.remember.ending import end_incident
from tasks.remember.record import unhealed_outcome
from tasks.settings import Settings
from tests.flows.healing import Healing

pytestmark = pytest.mark.prefect


def untouched(healing: Healing) -> bool:
    return healing.branches() == {"main"}


def test_denied_plan_is_not_carried_out(healing: Healing, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = healing.break_format()
    monkeypatch.setenv("HEALFLOW_KILL_SWITCH", "true")
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.DENIED
    assert "kill switch" in outcome.summary
    assert untouched(healing)
    assert healing.ledger.memory.actions_of(incident.id) == ()


def test_rejected_plan_is_not_carried_out(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.REJECT, reason="not before the release")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert "not before the release" in outcome.summary
    assert untouched(healing)
    assert healing.ledger.memory.actions_of(incident.id) == ()


def test_answer_after_the_deadline_is_no(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    request = healing.story(incident).request
    assert request is not None
    with pytest.raises(ConflictError, match="silence was taken as no"):
        healing.answer(incident, Answer.APPROVE, at=request.deadline + timedelta(seconds=1))
    assert expire(healing.ledger, request, now=request.deadline + timedelta(seconds=1))
    healing.wake(incident, Answer.EXPIRED)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.EXPIRED
    assert untouched(healing)


@pytest.mark.parametrize("answer", [Answer.REJECT, Answer.EXPIRED])
def test_what_was_declined_is_not_asked_again_by_the_run_after_a_lost_one(healing: Healing, answer: Answer) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    request = healing.story(incident).request
    assert request is not None
    if answer is Answer.REJECT:
        assert healing.say(incident, answer, reason="not now").settles
    else:
        assert expire(healing.ledger, request, now=request.deadline + timedelta(seconds=1))
    healing.repository.commit("Another plan is due", {"notes.txt": "the target has moved"})
    outcome = healing.start(incident)
    assert outcome is not None, "a new run, which plans anew"
    assert outcome.status is (IncidentStatus.REJECTED if answer is Answer.REJECT else IncidentStatus.EXPIRED)
    assert len(healing.ledger.approvals.of_incident(incident.id)) == 1
    assert untouched(healing)


def test_bare_resume_is_refused_and_approves_nothing(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    assert healing.resume(incident) == "REJECT"
    assert healing.resume(incident, answer="certainly") == "REJECT"
    assert healing.story(incident).incident.status is IncidentStatus.WAITING
    assert untouched(healing)


def void_because(healing: Healing, incident: Incident) -> str:
    """Why the audit trail says that the approval of an incident is void; nothing may have been done."""
    assert untouched(healing)
    assert [begun for begun in healing.ledger.memory.actions_of(incident.id) if begun.result is not None] == []
    (entry,) = [one for one in healing.ledger.audit.entries(incident_id=incident.id) if one.kind == "approval.void"]
    told = json.loads(entry.document)
    request = healing.story(incident).request
    assert request is not None
    assert told["request_id"] == request.id
    assert healing.ledger.audit.verify().problem == ""
    return str(told["reason"])


def test_approval_is_void_once_the_branch_moved(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.repository.break_a_test()
    healing.answer(incident, Answer.APPROVE_AND_MERGE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "the plan is void" in outcome.summary
    assert "the plan is void" in void_because(healing, incident)


@pytest.mark.parametrize("change", ["limit", "policy", "kill switch", "freeze"])
def test_approval_is_void_once_the_policy_changed_or_nothing_may_be_changed(
    healing: Healing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    policy = shutil.copytree(DEFAULT_POLICY, tmp_path / "policy")
    monkeypatch.setenv("HEALFLOW_POLICY_DIR", str(policy))
    incident = healing.break_format()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE_AND_MERGE)
    tip = healing.tip()
    if change == "limit":
        monkeypatch.setenv("HEALFLOW_MAX_ACTIONS_PER_HOUR", "5")
    elif change == "policy":
        with (policy / "data.json").open("a") as file:
            file.write("\n")
    elif change == "freeze":
        monkeypatch.setenv("HEALFLOW_FREEZES", '[{"begins": "2020-01-01T00:00:00Z", "ends": "2999-01-01T00:00:00Z"}]')
    else:
        monkeypatch.setenv("HEALFLOW_KILL_SWITCH", "true")
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    told = {"kill switch": "the kill switch was turned on", "freeze": "a freeze began while the plan waited"}
    said = told.get(change, "the policy or its limits changed")
    assert said in outcome.summary
    assert said in void_because(healing, incident)
    assert healing.tip() == tip


def test_approved_fix_is_proven_and_merged_and_can_be_undone(healing: Healing) -> None:
    from flows.undo import undo_heal

    incident = healing.break_format()
    broken = healing.tip()
    assert healing.start(incident) is None
    assert healing.story(incident).incident.status is IncidentStatus.WAITING
    healing.answer(incident, Answer.APPROVE_AND_MERGE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert (outcome.status, outcome.merged) == (IncidentStatus.HEALED, True)
    assert outcome.action_names == ("run_formatter", "merge_fix")
    story = healing.story(incident)
    assert story.verification is not None
    assert story.verification.passed
    assert healing.tip() != broken

    undo_heal(healing.settings, incident.id, by="ada")
    assert healing.tip() == broken
    assert untouched(healing)
    assert healing.story(incident).incident.status is IncidentStatus.UNDONE
    with pytest.raises(ConflictError, match="only a healed incident"):
        undo_heal(healing.settings, incident.id, by="ada")


def test_typed_name_that_policy_refuses_is_asked_again(
    healing: Healing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    strict_policy(tmp_path, monkeypatch, typed_name_counts=False)
    incident = healing.break_format()
    assert healing.start(incident) is None
    asked = healing.form(incident)
    for told in (
        incident.id,
        "unformatted: File would be reformatted",
        "+    return round(price",
        "Price: nothing",
        "Who else is affected:",
    ):
        assert told in asked
    assert healing.resume(incident, answer="approve", approver="Grace") == "ACCEPT"
    assert healing.go_on(incident) is None, "asks again"
    told_why, _, again = healing.form(incident).partition("\n\n")
    assert told_why.startswith("**The last answer: nobody vouches for the typed name")
    assert again == asked
    assert untouched(healing)
    refused = [entry for entry in healing.ledger.audit.entries() if entry.kind == "answer.refused"]
    assert [entry.actor for entry in refused] == ["typed:Grace"]
    healing.answer(incident, Answer.APPROVE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.HEALED


STRICTER: dict[Refusal, dict[str, object]] = {
    Refusal.NOT_ALLOWED: {"approvers": ["grace"]},
    Refusal.AUTHOR: {"author_may_approve": False},
}


@pytest.mark.parametrize("refusal", [Refusal.ALTERED, Refusal.NOT_ALLOWED, Refusal.AUTHOR, Refusal.MOVED_ON])
def test_refused_yes_takes_no_action_though_the_run_is_woken_for_it(
    healing: Healing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refusal: Refusal
) -> None:
    strict_policy(tmp_path, monkeypatch, typed_name_counts=False, **STRICTER.get(refusal, {}))
    people = [{"name": "ada", "local": "ada", "authors": ["Ada"]}, {"name": "grace", "local": "grace"}]
    monkeypatch.setenv("HEALFLOW_APPROVALS__PEOPLE", json.dumps(people))
    healing.settings = Settings()
    incident = healing.break_format()
    assert healing.start(incident) is None
    if refusal is Refusal.MOVED_ON:
        ended = unhealed_outcome(incident, "a person took over", fingerprint="f", now=datetime.now(UTC))
        end_incident(healing.ledger, incident, ended, plan=None)
    (question,) = healing.ledger.approvals.of_incident(incident.id)
    yes = attempt_at(
        question.request.model_copy(update={"plan_digest": "of-another"} if refusal is Refusal.ALTERED else {}),
        answer=Answer.APPROVE_AND_MERGE,
        identity=identify(IdentityKind.LOCAL, "ada", healing.settings.approvals.people),
        channel=ApprovalChannel.COMMAND_LINE,
        reason="",
        now=datetime.now(UTC),
    )
    assert answer_question(healing.ledger, yes, people=healing.settings.approvals.people).refusal is refusal

    assert healing.resume(incident, answer="approve_and_merge", approver="ada") == "ACCEPT"
    outcome = healing.go_on(incident)
    assert outcome is None or outcome.status is IncidentStatus.ESCALATED
    assert untouched(healing)
    assert healing.ledger.memory.actions_of(incident.id) == ()
    (question,) = healing.ledger.approvals.of_incident(incident.id)
    assert question.answer is None or not question.answer.answer.approves
    refused = [one for one in healing.ledger.audit.entries(incident_id=incident.id) if one.kind == "answer.refused"]
    assert json.loads(refused[0].document)["refusal"] == refusal


def test_one_yes_of_two_acts_on_nothing(healing: Healing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    strict_policy(tmp_path, monkeypatch, people_needed=2)
    incident = healing.break_format()
    assert healing.start(incident) is None
    assert not healing.say(incident, Answer.APPROVE, name="ada").settles
    healing.wake(incident, Answer.APPROVE)  # somebody resumes the run by hand: that is a typed name's yes, not a third
    assert healing.say(incident, Answer.APPROVE, name="ada").refusal is Refusal.SAME_PERSON
    assert untouched(healing)
    assert healing.say(incident, Answer.REJECT, name="grace").settles
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REJECTED
    assert untouched(healing)
    assert healing.ledger.audit.verify().problem == ""


def strict_policy(folder: Path, monkeypatch: pytest.MonkeyPatch, **terms: object) -> None:
    """The default policy with other terms for this machine."""
    policy = shutil.copytree(DEFAULT_POLICY, folder / "policy")
    data = json.loads((policy / "data.json").read_text())
    data["approval"]["local"]["usual"] |= terms
    (policy / "data.json").write_text(json.dumps(data))
    monkeypatch.setenv("HEALFLOW_POLICY_DIR", str(policy))


def test_edited_plan_is_decided_and_asked_about_again(healing: Healing) -> None:
    from deployments.cli.answers import edit

    healing.repository.forget_a_dependency()
    incident = healing.open_incident(healing.run_workflow())
    assert healing.start(incident) is None
    first = healing.story(incident).request
    plan = healing.story(incident).plan
    assert first is not None
    assert plan is not None
    before = plan.actions[0].parameters["requirement"]
    with pytest.raises(BadInputError, match="cannot be changed"):
        edit(healing.settings, incident.id, ["1.file=setup.py"])
    edit(healing.settings, incident.id, [f"1.requirement={before}  # asked for"])
    healing.wake(incident, Answer.EDIT)
    assert healing.go_on(incident) is None, "asks again"
    assert untouched(healing)
    story = healing.story(incident)
    assert story.request is not None
    assert story.plan is not None
    assert story.request.plan_digest != first.plan_digest
    assert "# asked for" in story.plan.actions[0].preview
    stale = attempt_at(
        first,
        answer=Answer.APPROVE,
        identity=identify(IdentityKind.LOCAL, "ada", ()),
        channel=ApprovalChannel.COMMAND_LINE,
        reason="",
        now=first.asked_at,
    )
    assert answer_question(healing.ledger, stale, people=()).refusal is Refusal.REPLAYED
    healing.answer(incident, Answer.REJECT)
    assert healing.go_on(incident) is not None
    assert untouched(healing)


def test_fix_stays_on_its_branch_when_the_approval_says_nothing_of_merging(healing: Healing) -> None:
    incident = healing.break_format()
    broken = healing.tip()
    assert healing.start(incident) is None
    assert healing.resume(incident, answer="approve", approver="Grace") == "ACCEPT"
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert (outcome.status, outcome.merged) == (IncidentStatus.HEALED, False)
    assert healing.tip() == broken
    assert healing.branches() == {"main", f"healflow/{incident.id}"}
    approval = healing.story(incident).approval
    assert approval is not None
    assert (approval.answered_by, approval.verified) == ("Grace", False)
    assert approval.channel is ApprovalChannel.PREFECT_UI


def test_fix_that_does_not_help_is_undone_and_escalated(healing: Healing) -> None:
    incident = healing.break_format_beyond_help()
    assert healing.start(incident) is None
    healing.answer(incident, Answer.APPROVE_AND_MERGE)
    outcome = healing.go_on(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.ESCALATED
    assert "did not help and was undone" in outcome.summary
    assert untouched(healing)
    results = healing.story(incident).results
    assert [result.status for result in results] == [ActionStatus.APPLIED, ActionStatus.UNDONE]


def test_resumed_run_does_not_repeat_finished_tasks(healing: Healing) -> None:
    incident = healing.break_format()
    assert healing.start(incident) is None
    shutil.rmtree(healing.settings.runs_root)  # nothing could be collected a second time
    before = [entry.kind for entry in healing.ledger.incidents.journal(incident.id)]
    assert healing.go_on(incident) is None, "still waits: nothing was answered"
    assert [entry.kind for entry in healing.ledger.incidents.journal(incident.id)] == before


def test_unknown_failure_is_reported_and_nothing_is_changed(healing: Healing) -> None:
    incident = healing.break_oddly()
    outcome = healing.start(incident)
    assert outcome is not None
    assert outcome.status is IncidentStatus.REPORTED
    story = healing.story(incident)
    assert story.diagnosis is not None
    assert story.diagnosis.failure_class == "unknown"
    assert untouched(healing)


def test_same_failure_again_is_healed_from_memory(healing: Healing) -> None:
    first = healing.break_format()
    healing.start(first)
    healing.answer(first, Answer.APPROVE_AND_MERGE)
    assert healing.go_on(first) is not None
    healing.run_workflow()
    healing.repository.git("revert", "--no-edit", "HEAD")
    again = healing.open_incident(healing.run_workflow("lint"))
    assert healing.start(again) is None
    plan = healing.story(again).plan
    assert plan is not None
    assert plan.remembered_incident == first.id


def test_artifact_tells_the_whole_story(healing: Healing) -> None:
    from prefect import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    incident = healing.break_format()
    healing.start(incident)
    healing.answer(incident, Answer.APPROVE)
    healing.go_on(incident)
    with get_client(sync_client=True) as client:
        pages = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[incident.id])))
    newest = max(pages, key=lambda page: page.created)
    for part in ("## Diagnosis", "## Plan", "```diff", "## Verification", "## Cost", "## Timeline", "shop/coupon.py"):
        assert part in str(newest.data)


def test_triage_and_remediate_are_sub_flows_of_heal(healing: Healing) -> None:
    from prefect import get_client

    incident = healing.break_format()
    healing.start(incident)
    healing.answer(incident, Answer.APPROVE)
    healing.go_on(incident)
    with get_client(sync_client=True) as client:
        runs = {run.name: run for run in client.read_flow_runs(limit=200)}
    for name in (f"triage-{incident.id}", f"remediate-{incident.id}"):
        assert runs[name].parent_task_run_id is not None
        assert runs[name].state_name == "Completed"
