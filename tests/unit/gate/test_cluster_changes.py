"""The gate on changes of a live cluster: once where once is all that helps, and never without a person."""

from pathlib import Path

import pytest

from tasks.domain.failure_class import FailureClass
from tasks.domain.gate import GateRequest, Limits
from tasks.domain.incident import ClusterTarget, SignalSource
from tasks.domain.plan import CLUSTER_REMEDIES, ONCE_PER_FINGERPRINT, Verdict
from tasks.gate import decide
from tasks.gate.policy import ask_policy
from tests.unit.gate.test_gate import request

STATE = "c" * 64


def asked(name: str, *, state: str = STATE, **history: object) -> GateRequest:
    made = request(name, failure_class=FailureClass.K8S_OOM, source=SignalSource.CLUSTER, target_state=STATE, **history)
    signal = made.incident.signal.model_copy(
        update={"cluster": ClusterTarget(namespace="shop", kind="Deployment", name="cart")}
    )
    action = made.plan.actions[0].model_copy(update={"parameters": {"state": state}, "preview": ""})
    return made.model_copy(
        update={
            "incident": made.incident.model_copy(update={"signal": signal}),
            "plan": made.plan.model_copy(update={"actions": (action,)}),
        }
    )


@pytest.mark.parametrize("name", sorted(ONCE_PER_FINGERPRINT))
def test_what_was_done_once_against_a_failure_is_not_done_again(name: str) -> None:
    decision = decide(asked(name, taken_before=(name,)), Limits())
    assert (decision.verdict, set(decision.rules)) == (Verdict.DENY, {"floor.once"})


@pytest.mark.parametrize("name", sorted(ONCE_PER_FINGERPRINT))
def test_policy_denies_the_second_time_without_the_floor_too(name: str) -> None:
    answer = ask_policy(asked(name, taken_before=(name,)))
    assert (answer.verdict, answer.rules) == (Verdict.DENY, ("once",))


def test_floor_denies_the_second_time_whatever_the_policy_says(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(
        'package healflow\ndecision := {"verdict": "allow", "reason": "r", "rules": ["mine"]}'
    )
    decision = decide(asked("restart_rollout", taken_before=("restart_rollout",)), Limits(), policy_dir=tmp_path)
    assert decision.verdict is Verdict.DENY


@pytest.mark.parametrize("name", sorted(CLUSTER_REMEDIES))
def test_change_of_another_state_than_the_planned_is_denied(name: str) -> None:
    assert "floor.target" in decide(asked(name, state="d" * 64), Limits()).rules


@pytest.mark.parametrize("name", sorted(CLUSTER_REMEDIES))
def test_change_of_a_live_object_asks_a_person(name: str) -> None:
    decision = decide(asked(name, taken_before=("run_formatter",)), Limits())
    assert (decision.verdict, decision.rules) == (Verdict.ASK, ("cluster_change",))
