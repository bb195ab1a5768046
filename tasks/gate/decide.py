"""The gate's decision: the stricter of policy and floor."""

from pathlib import Path

from tasks.domain.gate import GateRequest, Limits
from tasks.domain.plan import Decision, Verdict
from tasks.errors import PermanentError
from tasks.gate.floor import FLOOR_VERSION, denials, needs_person, tighten
from tasks.gate.policy import DEFAULT_POLICY, ask_policy, policy_digest


def decide(request: GateRequest, limits: Limits, *, policy_dir: Path | None = None) -> Decision:
    """Decide about one plan. `policy_dir` holds `*.rego` and `*.json`; `None` is the default policy.

    Raises:
        PermanentError: the policy's folder cannot be read.
    """
    folder = policy_dir or DEFAULT_POLICY
    digest = current_policy_digest(limits, policy_dir=policy_dir)
    forbidden = denials(request, limits)
    if forbidden:
        return Decision(
            verdict=Verdict.DENY,
            rules=tuple(f"floor.{rule}" for rule, _ in forbidden),
            reason="; ".join(reason for _, reason in forbidden),
            policy_digest=digest,
        )
    answer = ask_policy(request, policy_dir=folder)
    terms = tighten(answer.approval, request)
    if answer.verdict is Verdict.ALLOW and needs_person(request):
        return Decision(
            verdict=Verdict.ASK,
            rules=(*answer.rules, "floor.high_risk"),
            reason="high risk is never taken without a person",
            policy_digest=digest,
            terms=terms,
        )
    return Decision(verdict=answer.verdict, rules=answer.rules, reason=answer.reason, policy_digest=digest, terms=terms)


def current_policy_digest(limits: Limits, *, policy_dir: Path | None = None) -> str:
    """What an approval binds to, besides the plan: the policy's files and the floor's limits as they are now.

    Raises:
        PermanentError: the policy's folder cannot be read.
    """
    folder = policy_dir or DEFAULT_POLICY
    if not any(folder.glob("*.rego")):
        raise PermanentError(f"there is no policy in {folder}: HEALFLOW_POLICY_DIR names a folder with *.rego files")
    return policy_digest(folder, FLOOR_VERSION + limits.model_dump_json())
