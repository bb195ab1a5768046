"""Draws the outcome from what happened; pure, so that every branch of the story is a line here."""

from datetime import datetime

from tasks.domain.approval import Answer, Approval
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.failure_class import FailureClass
from tasks.domain.grouping import Following
from tasks.domain.incident import Incident, IncidentStatus
from tasks.domain.outcome import Outcome
from tasks.domain.plan import Decision, Remedy, Verdict
from tasks.domain.story import Remediation, Triage

_MAX_NAMES = 4
_WITH_BRANCH = (IncidentStatus.HEALED, IncidentStatus.OFFERED)


def draw_outcome(
    triage: Triage,
    decision: Decision,
    approval: Approval | None,
    remediation: Remediation | None,
    following: Following | None = None,
    *,
    now: datetime,
) -> Outcome:
    """The end of an incident that was triaged; `following` is the incident of what it leaves."""
    status, summary = _verdict(triage, decision, approval, remediation)
    if following is not None:
        summary += f" What else failed with it does not look well ({len(following.members)}): {following.incident.id}."
    acted = remediation is not None and bool(remediation.results)
    return Outcome(
        incident_id=triage.incident.id,
        fingerprint=triage.diagnosis.fingerprint,
        failure_class=triage.diagnosis.failure_class,
        status=status,
        action_names=tuple(result.action_name for result in remediation.results) if remediation and acted else (),
        summary=summary,
        branch=remediation.branch if remediation and status in _WITH_BRANCH else None,
        merged=remediation.merged if remediation else False,
        seconds=max(0.0, (now - triage.incident.opened_at).total_seconds()),
        ended_at=now,
    )


def unhealed_outcome(incident: Incident, reason: str, *, fingerprint: str, now: datetime) -> Outcome:
    """The end of an incident whose heal could not go on; a person takes over."""
    return Outcome(
        incident_id=incident.id,
        fingerprint=fingerprint,
        failure_class=FailureClass.UNKNOWN,
        status=IncidentStatus.ESCALATED,
        action_names=(),
        summary=f"Could not go on: {reason}",
        seconds=max(0.0, (now - incident.opened_at).total_seconds()),
        ended_at=now,
    )


def joined_outcome(incident: Incident, diagnosis: Diagnosis, home_id: str, *, now: datetime) -> Outcome:
    """The end of an incident whose cause another one in flight is about."""
    return Outcome(
        incident_id=incident.id,
        fingerprint=diagnosis.fingerprint,
        failure_class=diagnosis.failure_class,
        status=IncidentStatus.JOINED,
        action_names=(),
        summary=f"Joined {home_id}, which is about the same cause; what that leaves failing gets a heal of its own.",
        seconds=max(0.0, (now - incident.opened_at).total_seconds()),
        ended_at=now,
    )


def resolved_outcome(incident: Incident, diagnosis: Diagnosis | None, *, proof: str, now: datetime) -> Outcome:
    """The end of an incident whose failure went away before anything was done; `proof` says what that is known from."""
    return Outcome(
        incident_id=incident.id,
        fingerprint=diagnosis.fingerprint if diagnosis else incident.key,
        failure_class=diagnosis.failure_class if diagnosis else FailureClass.UNKNOWN,
        status=IncidentStatus.RESOLVED,
        action_names=(),
        summary=f"It went away by itself before anything was done: {proof}.",
        seconds=max(0.0, (now - incident.opened_at).total_seconds()),
        ended_at=now,
    )


def _verdict(
    triage: Triage, decision: Decision, approval: Approval | None, remediation: Remediation | None
) -> tuple[IncidentStatus, str]:
    if decision.verdict is Verdict.DENY:
        return IncidentStatus.DENIED, f"Nothing was done: policy denies the plan ({decision.reason})."
    if not triage.plan.changes_something:
        return IncidentStatus.REPORTED, f"Reported, nothing was changed. {triage.plan.rationale}"
    if approval is not None and not approval.answer.approves:
        return _refused(approval)
    if remediation is None:
        raise ValueError("an approved plan that changes something ends with a remediation")
    if remediation.waits_for_merge:
        return IncidentStatus.OFFERED, f"Not healed yet: {_waiting(remediation)}. Nothing was changed in the cluster."
    if remediation.healed:
        return IncidentStatus.HEALED, _healed_there(remediation) if triage.cluster else _healed(remediation)
    return IncidentStatus.ESCALATED, _not_helped(remediation)


def _waiting(remediation: Remediation) -> str:
    """Where the fix waits to be merged."""
    found = (one.message for one in remediation.results if one.action_name == Remedy.CHANGE_MANIFEST)
    return next(found, "the fix waits to be merged")


def _refused(approval: Approval) -> tuple[IncidentStatus, str]:
    if approval.answer is Answer.EXPIRED:
        return IncidentStatus.EXPIRED, "Nothing was done: nobody answered in time, and silence is no."
    reason = f": {approval.reason}" if approval.reason else ""
    return IncidentStatus.REJECTED, f"Nothing was done: {approval.answered_by} said no{reason}."


def _healed(remediation: Remediation) -> str:
    proof = "The failed job passes."
    if remediation.merged:
        return f"{proof} The fix was merged from {remediation.branch}."
    if remediation.branch is None:
        return proof
    if offered := _offered(remediation):
        return f"{proof} The fix is offered: {offered}."
    left = f" It was not merged: {remediation.problem}." if remediation.problem else ""
    return f"{proof} The fix is on branch {remediation.branch}.{left}"


def _healed_there(remediation: Remediation) -> str:
    """Of a cluster: there is no branch, the object itself was changed."""
    checks = remediation.verification.checks if remediation.verification else ()
    names = _joined([check.name for check in checks])
    if not remediation.results:
        return f"Healthy again before anything was done: {names}."
    done = "; ".join(result.message for result in remediation.results)
    proof = _joined(list(dict.fromkeys(check.detail for check in checks)))
    return f"Healed: {done}, and since then {names} {'were' if len(checks) > 1 else 'was'} {proof}."


def _joined(names: list[str]) -> str:
    shown = names if len(names) <= _MAX_NAMES else [*names[: _MAX_NAMES - 1], f"{len(names) - _MAX_NAMES + 1} more"]
    return " and ".join([", ".join(shown[:-1]), *shown[-1:]] if len(shown) > 1 else shown)


def _not_helped(remediation: Remediation) -> str:
    if remediation.problem and remediation.verification is None:
        return f"Not healed: {remediation.problem}. A person has to look."
    proof = remediation.verification
    if proof is not None and proof.inconclusive and not remediation.undone:
        offered = _offered(remediation)
        return f"Not proven: {proof.inconclusive}.{f' Offered: {offered}.' if offered else ''} A person has to look."
    if proof is not None and proof.inconclusive and remediation.undone and not remediation.problem:
        return f"Not proven: {proof.inconclusive}; the fix was undone. A person has to look."
    if proof is not None and (proof.passed or proof.inconclusive):
        left = "was undone" if remediation.undone else "could NOT be undone"
        return f"The fix could not be offered and {left}: {remediation.problem}. A person has to look."
    undone = {True: "and was undone", False: "and could NOT be undone", None: "and left nothing to undo"}
    problem = f" ({remediation.problem})" if remediation.problem else ""
    return f"The fix did not help {undone[remediation.undone]}{problem}. A person has to look."


def _offered(remediation: Remediation) -> str:
    """The pull request that offers the fix, empty when there is none."""
    found = (one.message for one in remediation.results if one.action_name == Remedy.OPEN_PULL_REQUEST)
    return next(found, "")
