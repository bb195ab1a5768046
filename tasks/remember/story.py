"""Tells an incident whole out of the ledger's journal: for the artifact, `healflow show` and the memory."""

import json
from collections.abc import Callable
from typing import TypeVar

from tasks.clients.ledger import EntryKind, JournalEntry, Ledger
from tasks.domain.approval import Approval, ApprovalRequest
from tasks.domain.base import Noun
from tasks.domain.diagnosis import Diagnosis
from tasks.domain.evidence import Evidence
from tasks.domain.outcome import ActionResult, Outcome, Verification
from tasks.domain.plan import Decision, Plan
from tasks.domain.story import Story, TimelineEntry

N = TypeVar("N", bound=Noun)


def read_story(ledger: Ledger, incident_id: str, *, around: str | None = None) -> Story:
    """Everything known of one incident; the id may be shortened as long as it is unambiguous.

    `around` is the id of a question: the story is then told up to the next plan, so that it holds the plan that was
    asked about even when the incident was planned anew since.

    Raises:
        NotFoundError: no incident, or several, have that id.
    """
    incident = ledger.incidents.get(incident_id).incident
    entries = _around(ledger.incidents.journal(incident.id), around)
    diagnosis = _newest(entries, EntryKind.DIAGNOSIS, Diagnosis)
    similar = ledger.memory.similar(diagnosis.fingerprint) if diagnosis else ()
    return Story(
        incident=incident,
        evidence=_newest(entries, EntryKind.EVIDENCE, Evidence),
        diagnosis=diagnosis,
        plan=_newest(entries, EntryKind.PLAN, Plan),
        decision=_newest(entries, EntryKind.DECISION, Decision),
        request=_newest(entries, EntryKind.ASKED, ApprovalRequest),
        approval=_newest(entries, EntryKind.ANSWER, Approval),
        results=tuple(
            ActionResult.model_validate_json(entry.document)
            for entry in entries
            if entry.kind in (EntryKind.ACTION_RESULT, EntryKind.UNDO)
        ),
        verification=_newest(entries, EntryKind.VERIFICATION, Verification),
        outcome=_newest(entries, EntryKind.OUTCOME, Outcome),
        timeline=tuple(TimelineEntry(at=entry.at, what=_SAY[entry.kind](entry.document)) for entry in entries),
        similar=tuple(other for other in similar if other.incident_id != incident.id),
        members=ledger.members.of_incident(incident.id),
        member_count=max(1, ledger.members.count(incident.id)),
    )


def _around(entries: tuple[JournalEntry, ...], request_id: str | None) -> tuple[JournalEntry, ...]:
    asked = [
        index
        for index, entry in enumerate(entries)
        if entry.kind is EntryKind.ASKED and json.loads(entry.document)["id"] == request_id
    ]
    later = range(asked[-1], len(entries)) if asked else range(0)
    end = next((index for index in later if entries[index].kind is EntryKind.PLAN), len(entries))
    return entries[:end]


def _newest(entries: tuple[JournalEntry, ...], kind: EntryKind, noun: type[N]) -> N | None:
    return next(
        (noun.model_validate_json(entry.document) for entry in reversed(entries) if entry.kind is kind),
        None,
    )


def _say_evidence(document: str) -> str:
    evidence = Evidence.model_validate_json(document)
    unread = f", {len(evidence.unreadable)} sources could not be read" if evidence.unreadable else ""
    lines, changes = _count(len(evidence.lines), "quoted line"), _count(len(evidence.changes), "change")
    return f"read the evidence: {lines}, {changes}{unread}"


def _say_diagnosis(document: str) -> str:
    diagnosis = Diagnosis.model_validate_json(document)
    return f"found the cause: {diagnosis.failure_class}: {diagnosis.cause}"


def _say_plan(document: str) -> str:
    plan = Plan.model_validate_json(document)
    return "planned: " + "; ".join(action.summary for action in plan.actions)


def _say_decision(document: str) -> str:
    decision = Decision.model_validate_json(document)
    return f"policy says {decision.verdict}: {decision.reason}"


def _say_asked(document: str) -> str:
    return f"asked; waits until {ApprovalRequest.model_validate_json(document).deadline:%Y-%m-%d %H:%M:%S} UTC"


def _say_answer(document: str) -> str:
    approval = Approval.model_validate_json(document)
    reason = f": {approval.reason}" if approval.reason else ""
    sure = "" if approval.verified else ", not verified"
    return f"answered {approval.answer} by {approval.told_by} ({approval.channel}{sure}){reason}"


def _say_result(document: str) -> str:
    result = ActionResult.model_validate_json(document)
    return f"{result.action_name} {result.status}: {result.message}"


def _say_verification(document: str) -> str:
    verification = Verification.model_validate_json(document)
    checks = "; ".join(check.told for check in verification.checks)
    return f"verification {'passed' if verification.passed else 'failed'} in {verification.seconds:.1f} s: {checks}"


_SAY: dict[EntryKind, Callable[[str], str]] = {
    EntryKind.SIGNAL: lambda document: f"detected: {json.loads(document)['title']}",
    EntryKind.EVIDENCE: _say_evidence,
    EntryKind.DIAGNOSIS: _say_diagnosis,
    EntryKind.PLAN: _say_plan,
    EntryKind.DECISION: _say_decision,
    EntryKind.ASKED: _say_asked,
    EntryKind.ANSWER: _say_answer,
    EntryKind.INTENT: lambda document: f"begins: {json.loads(document)['summary']}",
    EntryKind.ACTION_RESULT: _say_result,
    EntryKind.UNDO: _say_result,
    EntryKind.VERIFICATION: _say_verification,
    EntryKind.OUTCOME: lambda document: f"ended {json.loads(document)['status']}: {json.loads(document)['summary']}",
    EntryKind.NOTE: lambda document: str(json.loads(document)["text"]),
}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
