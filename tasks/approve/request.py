"""Makes the approval request of a plan: bound to its digest, with who may answer it and a nonce of its own."""

import secrets
from datetime import datetime, timedelta

from tasks.domain.approval import ApprovalRequest
from tasks.domain.diagnosis import CulpritKind
from tasks.domain.plan import Decision
from tasks.domain.story import Triage


def make_request(
    triage: Triage, decision: Decision, *, timeout_seconds: int, flow_run_id: str, now: datetime
) -> ApprovalRequest:
    """The question for one plan of one incident: asked again after a crash, it is the same question."""
    digest = triage.plan.digest(decision.policy_digest)
    steps = "; ".join(action.summary for action in triage.plan.actions)
    return ApprovalRequest(
        id=f"{triage.incident.id}-{digest[:12]}",
        incident_id=triage.incident.id,
        plan_digest=digest,
        question=f"{triage.diagnosis.cause} {steps}?",
        asked_at=now,
        deadline=now + timedelta(seconds=timeout_seconds),
        flow_run_id=flow_run_id,
        nonce=secrets.token_urlsafe(18),
        terms=decision.terms,
        authors=authors_of(triage),
    )


def authors_of(triage: Triage) -> tuple[str, ...]:
    """Who pushed the failing commit, and who wrote it or the commit that the diagnosis blames; each once."""
    culprit = triage.diagnosis.culprit
    blamed = {triage.incident.signal.commit}
    if culprit is not None and culprit.kind is CulpritKind.COMMIT:
        blamed.add(culprit.name)
    wrote = [change.author for change in triage.evidence.changes if change.commit in blamed]
    return tuple(dict.fromkeys(name for name in (triage.incident.signal.actor, *wrote) if name))
