"""Asks the policy about the objects of a release, one by one: what is not exactly a decision about one is a denial.

Objects go to the evaluator in batches, each in a process that can be killed, and each object is a query of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tasks.domain.approval import ApprovalTerms
from tasks.domain.cluster import KubeObject
from tasks.domain.freeze import freeze_at
from tasks.domain.incident import SignalSource
from tasks.domain.plan import Verdict
from tasks.domain.rollout import ObjectDecision
from tasks.errors import PermanentError
from tasks.gate.policy import PolicyAnswer, policy_digest, shorten
from tasks.settings import Settings

OBJECT_POLICY = Path(__file__).parent / "rego_objects"
BATCH = 50
TIMEOUT_SECONDS = 20.0
_ANSWERS = TypeAdapter(tuple[PolicyAnswer | None, ...])


def decide_objects(
    objects: Sequence[KubeObject],
    *,
    protected_namespaces: Sequence[str],
    only_namespaces: Sequence[str] = (),
    kill_switch: bool = False,
    frozen: str = "",
    policy_dir: Path | None = None,
) -> tuple[ObjectDecision, ...]:
    """One decision for each object that is to be applied, in order: the floor's where that denies, else the policy's.

    `frozen` says why nothing may be changed now. `only_namespaces` are the only ones that may be changed; empty means
    all that are not protected. `policy_dir` holds `*.rego` and `*.json`; `None` is the default policy.

    Raises:
        PermanentError: there is no policy in that folder.
    """
    policy_dir = policy_dir or OBJECT_POLICY
    if not any(policy_dir.glob("*.rego")):
        raise PermanentError(
            f"there is no policy in {policy_dir}: HEALFLOW_OBJECT_POLICY_DIR names a folder with *.rego"
        )
    still = "the kill switch is on" if kill_switch else frozen
    decided: list[ObjectDecision] = []
    for start in range(0, len(objects), BATCH):
        batch = objects[start : start + BATCH]
        answers = _ask(batch, protected_namespaces, policy_dir)
        for item, answer in zip(batch, answers, strict=True):
            forbidden = still or _floor(item, protected_namespaces, only_namespaces)
            decided.append(
                ObjectDecision(
                    ref=item.ref,
                    verdict=Verdict.DENY if forbidden else answer.verdict,
                    rules=("floor",) if forbidden else answer.rules,
                    reason=forbidden or answer.reason,
                    terms=answer.approval,
                )
            )
    return tuple(decided)


def joint_terms(asked: Sequence[ObjectDecision]) -> ApprovalTerms | None:
    """Who may say yes to all of these at once, by the strictest of their terms; `None` when nobody may."""
    named = [set(one.terms.approvers) for one in asked if one.terms.approvers]
    approvers = set.intersection(*named) if named else set[str]()
    needed = max((one.terms.people_needed for one in asked), default=1)
    if named and len(approvers) < needed:
        return None
    return ApprovalTerms(
        approvers=tuple(sorted(approvers)),
        people_needed=needed,
        author_may_approve=all(one.terms.author_may_approve for one in asked),
        typed_name_counts=all(one.terms.typed_name_counts for one in asked),
        link_counts=all(one.terms.link_counts for one in asked),
    )


def object_policy_digest(settings: Settings) -> str:
    """What a yes to a release binds to, besides the release: the policy for its objects, and the floor's limits."""
    kubernetes = settings.kubernetes
    floor = [settings.kill_switch, frozen_now(settings), kubernetes.protected_namespaces, kubernetes.namespaces]
    return policy_digest(settings.object_policy_dir or OBJECT_POLICY, json.dumps(floor))


def frozen_now(settings: Settings) -> str:
    """Why nothing in a cluster may be changed at this moment; empty when something may."""
    freeze = freeze_at(settings.freezes, str(SignalSource.CLUSTER), datetime.now(UTC))
    return freeze.told if freeze is not None else ""


def _floor(item: KubeObject, protected: Sequence[str], only: Sequence[str]) -> str:
    namespace = item.name if item.kind == "Namespace" else item.namespace
    if namespace in protected:
        return f"the namespace {namespace} is protected"
    if namespace and only and namespace not in only:
        return f"the namespace {namespace} is none of those that may be changed"
    return ""


def _ask(batch: Sequence[KubeObject], protected: Sequence[str], policy_dir: Path) -> tuple[PolicyAnswer, ...]:
    document = [
        shorten({"object": item.raw, "operation": "apply", "protected_namespaces": list(protected)}) for item in batch
    ]
    evaluator = Path(__file__).parent / "evaluator.py"
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(evaluator), str(policy_dir), "--each"],
            input=json.dumps(document, default=str),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            env={"PATH": os.defpath},
            check=False,
        )
        answers = _ANSWERS.validate_json(done.stdout) if done.returncode == 0 else ()
    except (subprocess.TimeoutExpired, OSError, ValidationError):
        answers = ()
    if len(answers) != len(batch):
        return tuple(_deny("policy_failed", "the policy could not be evaluated") for _ in batch)
    return tuple(answer or _deny("policy_malformed", "the policy's answer is no decision") for answer in answers)


def _deny(rule: str, reason: str) -> PolicyAnswer:
    return PolicyAnswer(verdict=Verdict.DENY, reason=reason, rules=(rule,))
