"""The gate: what it denies first, then what it asks for, then the little that it allows."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.gate import GateRequest, Limits
from tasks.domain.incident import Signal, SignalKind, SignalSource, open_incident
from tasks.domain.outcome import TrackRecord
from tasks.domain.plan import Action, Plan, Risk, Verdict
from tasks.errors import PermanentError
from tasks.gate import current_policy_digest, decide
from tasks.gate import policy as policy_module

NOW = datetime(2026, 1, 2, tzinfo=UTC)
COMMIT = "a" * 40
PATCH = "--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1 @@\n-x\n+y\n"


def request(
    action: str = "run_formatter",
    *,
    failure_class: FailureClass = FailureClass.CI_LINT,
    transient: bool = False,
    confidence: float = 0.95,
    risk: Risk = Risk.LOW,
    patch: str = PATCH,
    source: SignalSource = SignalSource.PIPELINE,
    head_repository: str | None = None,
    target_state: str = COMMIT,
    **history: object,
) -> GateRequest:
    signal = Signal(
        source=source,
        kind=SignalKind.CI_RUN,
        delivery_id="d",
        repository="local/shop",
        branch="main",
        commit=COMMIT,
        title="CI",
        head_repository=head_repository,
        occurred_at=NOW,
    )
    incident = open_incident(signal, now=NOW)
    known = failure_class is not FailureClass.UNKNOWN
    diagnosis = Diagnosis(
        failure_class=failure_class,
        cause="c",
        evidence_ids=("E1",) if known else (),
        confidence=confidence,
        transient=transient,
        fingerprint="f",
    )
    step = Action(
        name=action,
        target="healflow/x",
        risk=Risk.NONE if action == "report_only" else risk,
        summary="s",
        undo="u",
        preview=patch,
    )
    plan = Plan(incident_id=incident.id, playbook="p", rationale="r", actions=(step,), target_state=target_state)
    return GateRequest.model_validate({"incident": incident, "diagnosis": diagnosis, "plan": plan, **history})


def verdict(asked: GateRequest, **limits: object) -> tuple[Verdict, tuple[str, ...]]:
    decision = decide(asked, Limits.model_validate(limits))
    return decision.verdict, decision.rules


@pytest.mark.parametrize(
    ("asked", "limits", "rule"),
    [
        (request(), {"kill_switch": True}, "floor.kill_switch"),
        (request(), {"frozen": "changes are frozen"}, "floor.frozen"),
        (request(head_repository="mallory/shop"), {}, "floor.from_fork"),
        (request(failure_class=FailureClass.UNKNOWN), {}, "floor.unknown_cause"),
        (request(failed_attempts_today=2), {}, "floor.attempts"),
        (request(actions_last_hour=30), {}, "floor.actions_per_hour"),
        (request("rerun_failed_jobs", transient=True, reruns_so_far=1), {}, "floor.rerun_once"),
        (request(target_state="b" * 40), {}, "floor.target"),
        (request("drop_database"), {}, "default_deny"),
        (request(source=SignalSource.ALERTMANAGER), {}, "unknown_environment"),
        (request("rerun_failed_jobs", source=SignalSource.EVENTS), {}, "unknown_environment"),
    ],
)
def test_gate_denies(asked: GateRequest, limits: dict[str, object], rule: str) -> None:
    assert verdict(asked, **limits) == (Verdict.DENY, (rule,))


@pytest.mark.parametrize("source", [SignalSource.ALERTMANAGER, SignalSource.EVENTS])
def test_what_is_only_told_can_be_reported(source: SignalSource) -> None:
    decided, _ = verdict(request("report_only", source=source, failure_class=FailureClass.UNKNOWN))
    assert decided is Verdict.ALLOW


@pytest.mark.parametrize(
    "action", ["run_formatter", "add_dependency", "pin_dependency", "bump_dependency", "revert_commit"]
)
def test_patch_asks_a_person(action: str) -> None:
    assert verdict(request(action)) == (Verdict.ASK, ("patch",))


@pytest.mark.parametrize("action", ["comment_triage", "set_commit_status", "open_pull_request"])
def test_nothing_is_written_to_github_on_behalf_of_a_fork(action: str) -> None:
    asked = request(action, source=SignalSource.GITHUB, head_repository="mallory/shop", transient=True)
    assert verdict(asked) == (Verdict.DENY, ("floor.from_fork",))


@pytest.mark.parametrize("action", ["comment_triage", "set_commit_status"])
def test_a_mark_of_ours_is_allowed_unless_the_kill_switch_is_on(action: str) -> None:
    asked = request(action, source=SignalSource.GITHUB, patch="")
    assert verdict(asked) == (Verdict.ALLOW, ("mark",))
    assert verdict(asked, kill_switch=True) == (Verdict.DENY, ("floor.kill_switch",))
    assert verdict(asked, frozen="changes are frozen") == (Verdict.ALLOW, ("mark",))


def test_a_planned_pull_request_asks_a_person() -> None:
    assert verdict(request("open_pull_request", source=SignalSource.GITHUB)) == (Verdict.ASK, ("patch",))


def test_rerun_of_a_persistent_failure_asks() -> None:
    assert verdict(request("rerun_failed_jobs", transient=False)) == (Verdict.ASK, ("rerun_persistent",))


def test_unsure_rerun_asks() -> None:
    assert verdict(request("rerun_failed_jobs", transient=True, confidence=0.4)) == (Verdict.ASK, ("unsure",))


def test_first_rerun_of_a_transient_failure_is_allowed() -> None:
    assert verdict(request("rerun_failed_jobs", transient=True)) == (Verdict.ALLOW, ("rerun_transient",))


def test_report_is_allowed_even_with_the_kill_switch() -> None:
    asked = request("report_only", failure_class=FailureClass.UNKNOWN)
    assert verdict(asked, kill_switch=True) == (Verdict.ALLOW, ("report",))


def record(healed: int) -> tuple[TrackRecord, ...]:
    return (
        TrackRecord(
            failure_class=FailureClass.CI_LINT,
            action_name="run_formatter",
            environment="local",
            healed=healed,
            healed_since_failure=healed,
        ),
    )


def test_autonomy_is_earned_and_not_before() -> None:
    assert verdict(request(track_records=record(4)))[0] is Verdict.ASK
    assert verdict(request(track_records=record(5))) == (Verdict.ALLOW, ("earned",))


def test_earned_autonomy_does_not_reach_tests_pipelines_or_doubt() -> None:
    for path in ("tests/test_cart.py", ".github/workflows/ci.yml", "infra/prod.tfvars", ".trivyignore"):
        patch = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-x\n+y\n"
        assert verdict(request(patch=patch, track_records=record(9)))[0] is Verdict.ASK
    assert verdict(request(confidence=0.7, track_records=record(9)))[0] is Verdict.ASK


def test_high_risk_is_never_automatic() -> None:
    assert verdict(request(risk=Risk.HIGH, track_records=record(9))) == (Verdict.ASK, ("earned", "floor.high_risk"))


@pytest.mark.parametrize(
    ("rego", "rule"),
    [
        ("package healflow\ndecision := {{", "policy_failed"),
        ("package healflow\n", "policy_malformed|policy_failed"),
        ('package healflow\ndecision := "allow"', "policy_malformed"),
        ('package healflow\ndecision := {"verdict": "allow", "reason": "r", "rules": [], "x": 1}', "policy_malformed"),
        ('package healflow\ndecision := {"verdict": "yes", "reason": "r", "rules": []}', "policy_malformed"),
        (
            'package healflow\ndecision := {"verdict": "allow", "reason": no.such.builtin(1), "rules": []}',
            "policy_malformed|policy_failed",
        ),
    ],
)
def test_policy_that_does_not_decide_denies(rego: str, rule: str, tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(rego)
    decision = decide(request(), Limits(), policy_dir=tmp_path)
    assert decision.verdict is Verdict.DENY
    assert decision.rules[0] in rule.split("|")


def test_policy_that_hangs_denies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_module, "TIMEOUT_SECONDS", 0.5)
    numbers = json.dumps(list(range(3000)))
    (tmp_path / "p.rego").write_text(
        f"package healflow\nn := {numbers}\n"
        'decision := {"verdict": "allow", "reason": "r", "rules": []} if count({[a, b] | a := n[_]; b := n[_]}) > 0\n'
    )
    decision = decide(request(), Limits(), policy_dir=tmp_path)
    assert (decision.verdict, decision.rules) == (Verdict.DENY, ("policy_timeout",))


def test_long_outside_text_reaches_the_policy_cut(tmp_path: Path) -> None:
    asked = request()
    long = asked.plan.actions[0].model_copy(update={"target": "x" * 1_000_000})
    asked = asked.model_copy(update={"plan": asked.plan.model_copy(update={"actions": (long,)})})
    (tmp_path / "p.rego").write_text(
        'package healflow\ndecision := {"verdict": "allow", "reason": "r", "rules": []} if '
        "count(input.plan.actions[0].target) == 4000"
    )
    assert decide(asked, Limits(), policy_dir=tmp_path).verdict is Verdict.ALLOW


def test_missing_policy_is_an_error_not_a_yes(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="there is no policy"):
        decide(request(), Limits(), policy_dir=tmp_path)


def test_digest_changes_with_policy_and_limits(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text("package healflow\n")
    first = current_policy_digest(Limits(), policy_dir=tmp_path)
    assert current_policy_digest(Limits(max_actions_per_hour=5), policy_dir=tmp_path) != first
    (tmp_path / "p.rego").write_text("package healflow\n# changed\n")
    assert current_policy_digest(Limits(), policy_dir=tmp_path) != first
