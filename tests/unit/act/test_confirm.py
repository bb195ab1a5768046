"""The moment before acting: each reason for which an approved plan is void, and nothing may be done."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tasks.act.task import confirm
from tasks.approve import answer_question, attempt_at, identify, make_request
from tasks.approve.task import read_answer, take_answer
from tasks.clients.ledger import Ledger
from tasks.clients.ledger.engine import make_engine
from tasks.domain.approval import Answer, Approval, ApprovalChannel, ApprovalRequest, IdentityKind
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import IncidentStatus, open_incident
from tasks.domain.plan import Action, Decision, Plan, Remedy, Risk, Verdict
from tasks.domain.story import Triage
from tasks.errors import ConflictError
from tasks.settings import Settings
from tests.fakes.signals import ci_signal


class Approved:
    """A plan that somebody said yes to, a moment before it is carried out."""

    def __init__(self) -> None:
        now = datetime.now(UTC)
        self.ledger = Ledger.shared(Settings().ledger_url)
        signal = ci_signal(now)
        self.incident = self.ledger.incidents.open(open_incident(signal, now=now))
        diagnosis = Diagnosis(failure_class=FailureClass.UNKNOWN, cause="?", confidence=0, fingerprint="f")
        action = Action(
            name=Remedy.RUN_FORMATTER, target="healflow/x", risk=Risk.LOW, summary="Format it", undo="delete the branch"
        )
        plan = Plan(incident_id=self.incident.id, playbook="p", rationale="", actions=(action,), target_state="a" * 40)
        self.triage = Triage(
            incident=self.incident, evidence=Evidence(), diagnosis=diagnosis, similar=(), plan=plan, cluster=None
        )
        self.decision = Decision(verdict=Verdict.ASK, rules=("ask",), reason="why", policy_digest="d")
        self.request = self.ask()
        self.approval = self.say(Answer.APPROVE)

    def ask(self) -> ApprovalRequest:
        now = datetime.now(UTC)
        wanted = make_request(self.triage, self.decision, timeout_seconds=3600, flow_run_id="r", now=now)
        request = self.ledger.approvals.ask(wanted)
        self.ledger.incidents.set_status(self.incident.id, IncidentStatus.WAITING)
        return request

    def say(self, answer: Answer) -> Approval:
        identity = identify(IdentityKind.LOCAL, "ada", ())
        channel, now = ApprovalChannel.COMMAND_LINE, datetime.now(UTC)
        attempt = attempt_at(self.request, answer=answer, identity=identity, channel=channel, reason="", now=now)
        assert answer_question(self.ledger, attempt, people=()).refusal is None
        stored = self.ledger.approvals.get(self.request.id)
        assert stored is not None
        assert stored.answer is not None
        return stored.answer

    def confirm(self, approval: Approval | None) -> None:
        confirm.fn(self.triage, self.decision, approval)

    def refused(self, approval: Approval | None, because: str) -> None:
        """It is refused, and the incident did not come to the point of acting."""
        before = self.ledger.incidents.get(self.incident.id).incident.status
        with pytest.raises(ConflictError, match=because):
            self.confirm(approval)
        assert self.ledger.incidents.get(self.incident.id).incident.status is before
        assert before is not IncidentStatus.ACTING
        assert self.ledger.heals.kept(self.incident.id) is None
        assert self.ledger.memory.actions_of(self.incident.id) == ()


@pytest.fixture
def approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Approved:
    monkeypatch.setenv("HEALFLOW_HOME", str(tmp_path))
    return Approved()


def test_plan_that_was_altered_after_the_yes_is_void(approved: Approved) -> None:
    (action,) = approved.triage.plan.actions
    altered = action.model_copy(update={"target": "healflow/other"})
    plan = approved.triage.plan.model_copy(update={"actions": (altered,)})
    approved.triage = approved.triage.model_copy(update={"plan": plan})
    approved.refused(approved.approval, "another plan, target state or policy")


def test_plan_for_another_state_of_the_target_is_void(approved: Approved) -> None:
    plan = approved.triage.plan.model_copy(update={"target_state": "b" * 40})
    approved.triage = approved.triage.model_copy(update={"plan": plan})
    approved.refused(approved.approval, "another plan, target state or policy")


def test_yes_under_another_policy_is_void(approved: Approved) -> None:
    approved.decision = approved.decision.model_copy(update={"policy_digest": "of another policy"})
    approved.refused(approved.approval, "another plan, target state or policy")


def test_yes_to_an_older_question_of_the_incident_is_none_to_the_newer_and_does_nothing(approved: Approved) -> None:
    older = approved.approval
    plan = approved.triage.plan.model_copy(update={"target_state": "b" * 40})
    approved.triage = approved.triage.model_copy(update={"plan": plan})
    newer = approved.ask()
    assert newer.id != older.request_id
    approved.refused(older, "another plan, target state or policy")
    assert read_answer.fn(newer) is None
    with pytest.raises(ConflictError, match="has no answer; nothing is done"):
        take_answer.fn(newer)


@pytest.mark.parametrize("answer", [Answer.REJECT, Answer.EDIT, Answer.EXPIRED])
def test_what_is_no_yes_allows_nothing(approved: Approved, answer: Answer) -> None:
    approved.refused(approved.approval.model_copy(update={"answer": answer}), "there is none")


def test_yes_that_the_ledger_does_not_hold_allows_nothing(approved: Approved) -> None:
    forged = approved.approval.model_copy(update={"answered_by": "grace"})
    approved.refused(forged, "not the one in the ledger")
    approved.refused(approved.approval.model_copy(update={"request_id": "inc-none-q"}), "not the one in the ledger")


def test_yes_of_long_ago_allows_nothing_and_one_in_use_goes_on(approved: Approved, tmp_path: Path) -> None:
    """As after an outage of days: the question was put for an hour."""
    long_ago = approved.approval.answered_at - timedelta(hours=1, seconds=1)
    old = approved.approval.model_copy(update={"answered_at": long_ago})
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE approvals SET answer = :answer"), {"answer": old.model_dump_json()})
    approved.refused(old, "is too old by now")
    assert approved.ledger.approvals.use(old.request_id, at=datetime.now(UTC))
    approved.confirm(old)
    engine.dispose()


def test_no_answer_at_all_allows_nothing(approved: Approved) -> None:
    approved.refused(None, "there is none")


def test_denied_plan_is_not_carried_out_whatever_somebody_said(approved: Approved) -> None:
    approved.decision = approved.decision.model_copy(update={"verdict": Verdict.DENY})
    approved.refused(approved.approval, "policy says deny")


@pytest.mark.parametrize("status", [IncidentStatus.RESOLVED, IncidentStatus.ESCALATED, IncidentStatus.EXPIRED])
def test_incident_that_ended_meanwhile_is_not_acted_on(approved: Approved, status: IncidentStatus) -> None:
    approved.ledger.incidents.set_status(approved.incident.id, status)
    approved.refused(approved.approval, "the incident ended meanwhile")


def test_yes_is_used_up_once_and_not_for_an_incident_that_ended(approved: Approved) -> None:
    approved.confirm(approved.approval)
    assert [entry.kind for entry in approved.ledger.audit.entries() if entry.kind != "journal"] == [
        "answer.recorded",
        "approval.used",
    ]
    assert approved.ledger.incidents.get(approved.incident.id).incident.status is IncidentStatus.ACTING
    approved.ledger.incidents.set_status(approved.incident.id, IncidentStatus.HEALED)
    with pytest.raises(ConflictError, match="the incident ended meanwhile"):
        approved.confirm(approved.approval)
    assert sum(entry.kind == "approval.used" for entry in approved.ledger.audit.entries()) == 1
