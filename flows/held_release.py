"""A release that policy holds until a person has answered: an incident in which nothing failed.

So the question is asked, answered, judged, audited and shown like that of any heal, through every channel.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tasks.clients.ledger import EntryKind, Ledger
from tasks.collect.redact import redact
from tasks.domain.approval import Answer, Approval, ApprovalTerms
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence, EvidenceLine
from tasks.domain.failure_class import FailureClass
from tasks.domain.incident import Incident, IncidentStatus, Signal, SignalKind, SignalSource, open_incident, short_hash
from tasks.domain.outcome import ActionResult, ActionStatus, Outcome
from tasks.domain.plan import Action, Decision, Plan, Risk, Verdict
from tasks.domain.rollout import (
    DeployReport,
    DeployStatus,
    Difference,
    Manifests,
    ObjectDecision,
    ReleaseOrder,
)
from tasks.domain.story import Triage
from tasks.errors import ConflictError
from tasks.gate.objects import frozen_now, object_policy_digest
from tasks.remember.ending import end_incident
from tasks.settings import Settings

APPLY_RELEASE = "apply_release"
_APPLIED = (DeployStatus.VERIFIED, DeployStatus.ROLLOUT_FAILED, DeployStatus.SMOKE_FAILED)
MAX_PREVIEW_CHARACTERS, MAX_REASONS = 60_000, 50


class Asker(Protocol):
    """Puts the question of a held release to people, and waits."""

    key: str
    """What tells the question of one deploy from that of another; the same for a run that goes on after its answer."""
    run_id: str
    """Prefect's, empty outside of it."""
    actor: str
    """Who brings the release out, empty when that is not known."""

    def ask(self, triage: Triage, decision: Decision) -> Approval | None:
        """The answer that the ledger holds in the end; `None` when there is none, which is no."""
        ...


@dataclass(frozen=True)
class Held:
    """A release with its question."""

    triage: Triage
    decision: Decision

    @property
    def incident(self) -> Incident:
        """As which it waits."""
        return self.triage.incident


def hold_release(
    settings: Settings,
    order: ReleaseOrder,
    manifests: Manifests,
    differences: Sequence[Difference],
    asked: Sequence[ObjectDecision],
    terms: ApprovalTerms,
    asker: Asker,
) -> Held:
    """Write down what is asked and why; for a run that goes on it is the same incident, and the same question as long
    as release, cluster and policy are as they were.

    Raises:
        HealflowError: the ledger cannot be written, or the policy cannot be read.
    """
    ledger, now = Ledger.shared(settings.ledger_url), datetime.now(UTC)
    incident = ledger.incidents.open(open_incident(_signal(order, manifests, asker, now), now=now))
    if asker.run_id and ledger.incidents.get(incident.id).flow_run_id != asker.run_id:
        ledger.incidents.set_flow_run(incident.id, asker.run_id)
    held = Held(
        triage=_triage(incident, order, manifests, differences, asked),
        decision=Decision(
            verdict=Verdict.ASK,
            rules=tuple(dict.fromkeys(rule for one in asked for rule in one.rules)),
            reason=_reasons(asked),
            policy_digest=object_policy_digest(settings),
            terms=terms,
        ),
    )
    for kind, noun in (
        (EntryKind.EVIDENCE, held.triage.evidence),
        (EntryKind.DIAGNOSIS, held.triage.diagnosis),
        (EntryKind.PLAN, held.triage.plan),
        (EntryKind.DECISION, held.decision),
    ):
        ledger.incidents.write(incident.id, kind, noun, at=now)
    return held


def begin(settings: Settings, held: Held, approval: Approval | None, differences: Sequence[Difference]) -> None:
    """The moment before applying: the one approval of exactly this release, cluster and policy is used up now.

    Raises:
        ConflictError: there is none, and nothing may be applied.
    """
    ledger, now = Ledger.shared(settings.ledger_url), datetime.now(UTC)
    if approval is None or not approval.answer.approves:
        raise ConflictError("policy asks for an approval and there is none")
    if _state_of(differences) != held.triage.plan.target_state:
        raise ConflictError("the cluster was changed while the release waited; deploy it again")
    if frozen := frozen_now(settings):
        raise ConflictError(f"a freeze began while the release waited: {frozen}; deploy it again after that")
    if object_policy_digest(settings) != held.decision.policy_digest:
        raise ConflictError("the policy was changed while the release waited; deploy it again")
    if approval.plan_digest != held.triage.plan.digest(held.decision.policy_digest):
        raise ConflictError("the approval is for another release, cluster or policy; deploy it again")
    stored = ledger.approvals.get(approval.request_id)
    if stored is None or stored.answer != approval:
        raise ConflictError("the approval is not the one in the ledger; deploy it again")
    if not stored.request.lasts(approval.answered_at, now):
        raise ConflictError(f"the approval of {approval.answered_at:%Y-%m-%d %H:%M} UTC is too old; deploy it again")
    if not ledger.approvals.use(approval.request_id, at=now):
        raise ConflictError("the approval was used before; deploy it again")
    ledger.incidents.set_status(held.incident.id, IncidentStatus.ACTING)


def end_release(
    settings: Settings, held: Held, report: DeployReport, approval: Approval | None, *, problem: str = ""
) -> None:
    """Write the end of the incident; an answer that came through a terminal is told in its story first.

    `problem` is what kept the deploy from coming to an end of its own.

    Raises:
        HealflowError: the ledger cannot be written.
    """
    ledger, now = Ledger.shared(settings.ledger_url), datetime.now(UTC)
    if approval is not None:
        ledger.approvals.mark_resumed(approval.request_id)
        ledger.incidents.write(held.incident.id, EntryKind.ANSWER, approval, at=approval.answered_at)
    applied = not problem and report.status in _APPLIED
    if applied:
        done = ActionResult(action_name=APPLY_RELEASE, status=ActionStatus.APPLIED, message="the release was applied")
        ledger.incidents.write(held.incident.id, EntryKind.ACTION_RESULT, done, at=now)
    outcome = Outcome(
        incident_id=held.incident.id,
        fingerprint=held.triage.diagnosis.fingerprint,
        failure_class=held.triage.diagnosis.failure_class,
        status=_end(report, approval),
        action_names=(APPLY_RELEASE,) if applied else (),
        summary=_broken_off(approval, problem) if problem else _summary(report, approval),
        seconds=max(0.0, (now - held.incident.opened_at).total_seconds()),
        ended_at=now,
    )
    end_incident(ledger, held.incident, outcome, plan=held.triage.plan)


def _end(report: DeployReport, approval: Approval | None) -> IncidentStatus:
    if report.status is DeployStatus.VERIFIED:
        return IncidentStatus.HEALED
    if approval is not None and approval.answer is Answer.EXPIRED:
        return IncidentStatus.EXPIRED
    declined = approval is None or not approval.answer.approves
    return IncidentStatus.REJECTED if declined else IncidentStatus.ESCALATED


def _broken_off(approval: Approval | None, problem: str) -> str:
    if approval is None or not approval.answer.approves:
        return f"Nothing was applied: the deploy broke off ({problem})."
    return f"The deploy broke off ({problem}); what was applied by then stays. A person has to look."


def _summary(report: DeployReport, approval: Approval | None) -> str:
    if report.status is DeployStatus.VERIFIED:
        return f"The release is out: {report.message}."
    if report.status is DeployStatus.NOT_APPROVED:
        return f"Nothing was applied: {report.message}."
    others = f" {', '.join(report.incident_ids)} tells more." if report.incident_ids else ""
    said_yes = f"{approval.answered_by} said yes, and the" if approval is not None else "The"
    return f"{said_yes} deploy ended as {report.status}: {report.message}.{others}"


def _signal(order: ReleaseOrder, manifests: Manifests, asker: Asker, now: datetime) -> Signal:
    return Signal(
        source=SignalSource.CLUSTER,
        kind=SignalKind.RELEASE,
        delivery_id=f"release-{asker.key}",
        repository=f"release/{Path(order.folder).name}",
        branch=_places(manifests),
        commit=order.commit,
        title=f"the release of {Path(order.folder).name} waits for a person",
        actor=asker.actor,
        occurred_at=now,
    )


def _triage(
    incident: Incident,
    order: ReleaseOrder,
    manifests: Manifests,
    differences: Sequence[Difference],
    asked: Sequence[ObjectDecision],
) -> Triage:
    name, places = Path(order.folder).name, _places(manifests)
    lines = tuple(
        EvidenceLine(id=f"E{number}", source=f"policy:{one.ref}", text=redact(one.reason)[:500])
        for number, one in enumerate(asked[:MAX_REASONS], 1)
    )
    diagnosis = Diagnosis(
        failure_class=FailureClass.SEC_POLICY,
        cause=f"Policy wants a person to say yes before {name} is applied to {places}: {_reasons(asked)}."[:900],
        evidence_ids=tuple(line.id for line in lines),
        confidence=1.0,
        rule=asked[0].rules[0] if asked[0].rules else "",
        fingerprint=short_hash("release", places, *(f"{one.ref}{one.rules}" for one in asked), length=20),
    )
    action = Action(
        name=APPLY_RELEASE,
        target=places,
        parameters={"manifests": _digest(list(manifests)), "objects": str(len(manifests))},
        risk=Risk.MEDIUM,
        summary=f"Apply the {len(manifests)} objects of {name} to {places}, of which {_changing(differences)} change",
        undo="deploy the release before it again",
        preview=redact("\n".join(one.text for one in differences if one.text))[:MAX_PREVIEW_CHARACTERS],
    )
    plan = Plan(
        incident_id=incident.id,
        playbook="release",
        rationale="A release is applied whole, or not at all.",
        actions=(action,),
        target_state=_state_of(differences),
    )
    return Triage(incident=incident, evidence=Evidence(lines=lines), diagnosis=diagnosis, similar=(), plan=plan)


def _places(manifests: Manifests) -> str:
    found = dict.fromkeys(str(item["metadata"].get("namespace") or "") for item in manifests)
    return ", ".join(name for name in found if name) or "the cluster"


def _changing(differences: Sequence[Difference]) -> int:
    return sum(bool(one.text) for one in differences)


def _state_of(differences: Sequence[Difference]) -> str:
    """What the cluster was compared in: an approval holds for exactly these changes."""
    return _digest([one.model_dump(mode="json") for one in differences])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _reasons(asked: Sequence[ObjectDecision]) -> str:
    return "; ".join(f"{one.ref}: {one.reason}" for one in asked)
