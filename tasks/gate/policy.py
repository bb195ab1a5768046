"""Asks the Rego policy. Whatever is not exactly a decision is a denial: default deny holds for the evaluator too."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tasks.domain.approval import ApprovalTerms
from tasks.domain.base import Noun
from tasks.domain.gate import GateRequest
from tasks.domain.plan import Verdict
from tasks.gate.files import sensitive_files

DEFAULT_POLICY = Path(__file__).parent / "rego"
TIMEOUT_SECONDS = 5.0
MAX_STRING_CHARACTERS = 4_000
"""regopy's `regex.match` crashes on strings of 50 kB; no policy needs longer ones."""
MAX_OUTPUT_BYTES = 64_000


class PolicyAnswer(Noun):
    """Exactly what a policy may say."""

    verdict: Literal[Verdict.ALLOW, Verdict.ASK, Verdict.DENY]
    reason: str
    rules: tuple[str, ...]
    approval: ApprovalTerms = ApprovalTerms()
    """Who has to say yes, where it asks."""


def ask_policy(request: GateRequest, *, policy_dir: Path = DEFAULT_POLICY) -> PolicyAnswer:
    """The policy's answer; a time-out, a crash, an undefined or a malformed answer is `DENY` with the reason."""
    document = json.dumps(shorten(input_document(request)))
    try:
        done = subprocess.run(
            _command(policy_dir),
            input=document,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            env={"PATH": os.defpath},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _deny("policy_timeout", f"the policy did not answer within {TIMEOUT_SECONDS:.0f} s")
    except OSError as error:
        return _deny("policy_unavailable", f"the policy could not be evaluated: {error}")
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return _deny("policy_failed", f"the policy could not be evaluated: {last[:200]}")
    return _read_answer(done.stdout)


def _command(policy_dir: Path) -> list[str]:
    opa = shutil.which("opa")
    if opa:
        return [opa, "eval", "--format", "raw", "--stdin-input", "--data", str(policy_dir), "data.healflow.decision"]
    return [sys.executable, "-I", str(Path(__file__).parent / "evaluator.py"), str(policy_dir)]


def _read_answer(text: str) -> PolicyAnswer:
    if len(text) > MAX_OUTPUT_BYTES:
        return _deny("policy_malformed", "the policy's answer is too long")
    try:
        return PolicyAnswer.model_validate_json(text)
    except ValidationError:
        return _deny(
            "policy_malformed", "the policy's answer is not exactly verdict, reason, rules and perhaps approval"
        )


def _deny(rule: str, reason: str) -> PolicyAnswer:
    return PolicyAnswer(verdict=Verdict.DENY, reason=reason, rules=(rule,))


def input_document(request: GateRequest) -> dict[str, object]:
    """What the policy sees as `input`; its shape is described in docs/policy.md."""
    signal, diagnosis = request.incident.signal, request.diagnosis
    return {
        "environment": request.incident.environment,
        "incident": {
            "id": request.incident.id,
            "repository": signal.repository,
            "branch": signal.branch,
            "default_branch": signal.default_branch,
            "from_fork": signal.from_fork,
            "severity": signal.severity,
        },
        "diagnosis": {
            "failure_class": diagnosis.failure_class,
            "confidence": diagnosis.confidence,
            "transient": diagnosis.transient,
            "said_by": diagnosis.said_by,
        },
        "plan": {
            "playbook": request.plan.playbook,
            "actions": [
                {
                    "name": action.name,
                    "target": action.target,
                    "risk": action.risk,
                    "sensitive_files": sensitive_files(action.preview),
                }
                for action in request.plan.actions
            ],
        },
        "track_records": [record.model_dump(mode="json") for record in request.track_records],
        "reruns_so_far": request.reruns_so_far,
        "taken_before": list(request.taken_before),
        "failed_attempts_today": request.failed_attempts_today,
        "actions_last_hour": request.actions_last_hour,
    }


def shorten(value: object) -> object:
    """The value with every string cut to what a policy may see."""
    if isinstance(value, str):
        return value[:MAX_STRING_CHARACTERS]
    if isinstance(value, dict):
        return {key: shorten(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shorten(inner) for inner in value]
    return value


def policy_digest(policy_dir: Path, floor: str) -> str:
    """SHA-256 over the policy's files and the floor's limits: an approval given under another policy is void."""
    digest = hashlib.sha256(floor.encode())
    for path in sorted(policy_dir.iterdir()):
        if path.suffix in (".rego", ".json"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
